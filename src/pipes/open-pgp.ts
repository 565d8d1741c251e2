/**
 * OpenPGP for programs, which cannot wait: the library answers with promises, so it runs in a thread of its own, and the
 * thread of the program stands still until the answer is there, as it would if it computed it itself.
 */

import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import type { OpenPgp } from '../dtl/contract.ts'
import { DtlError } from '../dtl/errors.ts'
import { startThread } from '../log/thread.ts'

export type PgpRequest =
  | { readonly type: 'encrypt'; readonly publicKey: string; readonly text: string }
  | { readonly type: 'decrypt'; readonly privateKey: string; readonly passphrase: string; readonly message: string }

export type PgpAnswer =
  /** Null: it is no message for this key. */
  | { readonly type: 'done'; readonly text: string | null }
  | { readonly type: 'bad-key'; readonly reason: string }
  | { readonly type: 'missing' }

export interface PgpThreadData {
  readonly port: MessagePort
  /** 1 when the answer lies in the port. */
  readonly flag: Int32Array
}

/** Starting takes the longest; a message takes milliseconds. */
const MAX_WAIT_MS = 60_000

class PgpThread {
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #flag = new Int32Array(new SharedArrayBuffer(4))

  constructor() {
    const { port1, port2 } = new MessageChannel()
    const workerData: PgpThreadData = { port: port2, flag: this.#flag }
    this.#worker = startThread(import.meta.url, './open-pgp-thread.ts', {
      workerData,
      transferList: [port2],
      name: 'openpgp',
    })
    this.#port = port1
    // It ends with the process; nobody waits for it.
    this.#worker.unref()
    this.#port.unref()
  }

  ask(request: PgpRequest): PgpAnswer | null {
    Atomics.store(this.#flag, 0, 0)
    this.#port.postMessage(request)
    Atomics.wait(this.#flag, 0, 0, MAX_WAIT_MS)
    return (receiveMessageOnPort(this.#port)?.message as PgpAnswer | undefined) ?? null
  }

  end(): void {
    void this.#worker.terminate()
  }
}

let thread: PgpThread | null = null

/** One thread for all programs of a thread, started when the first of them needs it. */
export const openPgp: OpenPgp = {
  encrypt: (publicKey, text) => ask({ type: 'encrypt', publicKey, text }, 'PUBLIC_KEY') as string,
  decrypt: (privateKey, passphrase, message) =>
    ask({ type: 'decrypt', privateKey, passphrase, message }, 'PRIVATE_KEY'),
}

function ask(request: PgpRequest, key: string): string | null {
  thread ??= new PgpThread()
  const answer = thread.ask(request)
  if (answer?.type === 'done') return answer.text
  if (answer?.type === 'bad-key') {
    throw new DtlError('bad-argument', `${key} cannot be used: ${answer.reason}`, {
      hint: 'Give an armoured OpenPGP key, line ends included, and the passphrase that unlocks it.',
    })
  }
  if (answer?.type === 'missing') {
    throw new DtlError('missing-package', "This function needs the package 'openpgp', which is not installed.", {
      hint: 'Install it: npm install openpgp.',
    })
  }
  // A late answer must not be taken for that of the next question.
  thread.end()
  thread = null
  throw new DtlError('failed', `OpenPGP gave no answer within ${MAX_WAIT_MS / 1000} seconds.`, {
    hint: 'Is the message very large, or the machine overloaded? Run the pipe again.',
  })
}
