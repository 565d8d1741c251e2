/** The thread that OpenPGP runs in: one question after the other. */

import { workerData } from 'node:worker_threads'
import type * as Library from 'openpgp'
import type { PgpAnswer, PgpRequest, PgpThreadData } from './open-pgp.ts'

const { port, flag } = workerData as PgpThreadData

/** A message that unpacks to more is none that an entity could hold. */
const MAX_MESSAGE_BYTES = 104_857_600

const library: Promise<typeof Library | null> = import('openpgp').then(
  (loaded) => {
    loaded.config.maxDecompressedMessageSize = MAX_MESSAGE_BYTES
    return loaded
  },
  () => null,
)

port.on('message', async (request: PgpRequest) => {
  port.postMessage(await answerTo(request))
  Atomics.store(flag, 0, 1)
  Atomics.notify(flag, 0)
})

async function answerTo(request: PgpRequest): Promise<PgpAnswer> {
  const openpgp = await library
  if (openpgp === null) return { type: 'missing' }
  if (request.type === 'encrypt') return encrypted(openpgp, request)
  let key: Library.PrivateKey
  try {
    key = await unlocked(openpgp, request.privateKey, request.passphrase)
  } catch (error) {
    return { type: 'bad-key', reason: (error as Error).message }
  }
  try {
    const message = await openpgp.readMessage({ armoredMessage: request.message })
    // As bytes: line ends stay as they were written.
    const { data } = await openpgp.decrypt({ message, decryptionKeys: key, format: 'binary' })
    return { type: 'done', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data) }
  } catch {
    return { type: 'done', text: null }
  }
}

async function encrypted(
  openpgp: typeof Library,
  { publicKey, text }: PgpRequest & { type: 'encrypt' },
): Promise<PgpAnswer> {
  try {
    const encryptionKeys = await openpgp.readKey({ armoredKey: publicKey })
    const message = await openpgp.createMessage({ binary: Buffer.from(text, 'utf8') })
    return { type: 'done', text: await openpgp.encrypt({ message, encryptionKeys }) }
  } catch (error) {
    return { type: 'bad-key', reason: (error as Error).message }
  }
}

const keys = new Map<string, Promise<Library.PrivateKey>>()
const KEYS_KEPT = 100

/** Unlocking takes longer than decrypting, on purpose. */
function unlocked(openpgp: typeof Library, armoredKey: string, passphrase: string): Promise<Library.PrivateKey> {
  const name = JSON.stringify([armoredKey, passphrase])
  let key = keys.get(name)
  if (key === undefined) {
    if (keys.size >= KEYS_KEPT) keys.clear()
    key = openpgp
      .readPrivateKey({ armoredKey })
      .then((privateKey) => (privateKey.isDecrypted() ? privateKey : openpgp.decryptKey({ privateKey, passphrase })))
    keys.set(name, key)
  }
  return key
}
