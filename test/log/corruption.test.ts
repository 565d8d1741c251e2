/**
 * Bytes flipped in the file of a log: never a hang, never a version that is not what was written, and what differs is seen
 * by verify or refused at read. `npm run test:corruption` flips hundreds, and prints the share that is caught.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { LogWriter } from '../../src/log/writer.ts'
import type { Job, Outcome } from './corruption-child.ts'
import { folder, write } from './sample.ts'
import { sampleLog } from './verify/harm.ts'

const FLIPS = Number(process.env.FLIPS ?? 24)
const SEED = Number(process.env.SEED ?? Date.now() % 1e9)
const PAGE = 4096
/** One job takes some tenths of a second. */
const HANG_MS = 60_000

type Read = Outcome | { readonly died: string }

it(`sees flipped bytes, or they do no harm (${FLIPS} flips, seed ${SEED})`, async () => {
  const root = folder()
  const log = await fullLog()
  const whole = readFileSync(join(log, 'data.mdb'))
  const child = new Reader()
  const sound = (await child.read({ path: log, verifies: true })) as Outcome
  expect(sound.findings).toEqual([])
  expect(Object.values(sound.reads).filter((one) => one.startsWith('error'))).toEqual([])

  const random = randomOf(SEED)
  const tally = { used: { caught: 0, harmless: 0, missed: 0 }, free: { caught: 0, harmless: 0, missed: 0 } }
  const deaths: string[] = []
  const missed: string[] = []
  const isUsed = new Map<number, boolean>()
  const damaged = async (name: string, harm: (bytes: Buffer) => void, verifies: boolean): Promise<Read> => {
    const path = join(root, name)
    mkdirSync(path)
    const bytes = Buffer.from(whole)
    harm(bytes)
    writeFileSync(join(path, 'data.mdb'), bytes)
    const outcome = await child.read({ path, verifies })
    rmSync(path, { recursive: true })
    return outcome
  }

  for (let flip = 0; flip < FLIPS; flip++) {
    const at = Math.floor(random() * whole.length)
    const mask = 1 + Math.floor(random() * 255)
    const what = `byte ${at} (page ${Math.floor(at / PAGE)}) xor ${mask}`
    const outcome = await damaged(`flip${flip}`, (bytes) => bytes.writeUInt8((bytes[at] as number) ^ mask, at), true)
    const page = Math.floor(at / PAGE)
    // A page is in use when overwriting all of it changes what can be read.
    if (!isUsed.has(page)) {
      const erased = await damaged(`page${flip}`, (bytes) => bytes.fill(0xff, page * PAGE, (page + 1) * PAGE), false)
      isUsed.set(page, 'died' in erased || differs(erased, sound).length > 0)
    }
    const kind = isUsed.get(page) ? tally.used : tally.free
    if ('died' in outcome) {
      deaths.push(`${what}: ${outcome.died}`)
      kind.caught++
      continue
    }
    // Whatever is given out as a version is what was written.
    for (const [name, value] of Object.entries(outcome.reads)) {
      if (/ version \d+$/.test(name) && !value.startsWith('error'))
        expect(`${what}, ${name}: ${value}`).toBe(`${what}, ${name}: ${sound.reads[name]}`)
    }
    const changed = differs(outcome, sound)
    if ((outcome.findings?.length ?? 0) > 0) kind.caught++
    else if (changed.length === 0) kind.harmless++
    else if (changed.every((name) => outcome.reads[name]?.startsWith('error'))) kind.caught++
    else {
      kind.missed++
      missed.push(`${what}: ${changed.slice(0, 5).join(', ')}`)
    }
  }
  child.end()
  const share = ({ caught, missed: wrong }: typeof tally.used) =>
    caught + wrong === 0 ? 'none did harm' : `${((100 * caught) / (caught + wrong)).toFixed(1)} % of the harmful caught`
  console.log(
    `seed ${SEED}, ${FLIPS} flips in ${whole.length / PAGE} pages:`,
    `\n  used pages: ${JSON.stringify(tally.used)}, ${share(tally.used)}`,
    `\n  free pages: ${JSON.stringify(tally.free)}, ${share(tally.free)}`,
    `\n  ${deaths.length} ended the process that read: ${deaths.slice(0, 5).join('; ')}`,
    missed.length === 0 ? '' : `\n  missed: ${missed.join('; ')}`,
  )
  expect(missed).toEqual([])
}, 3_600_000)

/** Names of what was read differently than from the sound log. */
const differs = (outcome: Outcome, { reads }: Outcome): string[] =>
  Object.keys(reads).filter((name) => outcome.reads[name] !== reads[name])

/** Three datasets with indexes, one of them deleted and swept, so that there are free pages too. */
async function fullLog(): Promise<string> {
  const path = await sampleLog()
  const writer = await LogWriter.open(path)
  await writer.assertDataset('f')
  await writer.assertDataset('gone')
  const entities = (n: number) =>
    Array.from({ length: 600 }, (_, i) => ({ _id: `id${i}`, n, text: `${i}`.repeat(i % 200) }))
  for (const n of [0, 1]) await writer.commit({ writes: [write('f', entities(n)), write('gone', entities(n))] })
  for (let i = 0; i < 50; i++) await writer.commit({ state: [[Buffer.from(`s${i}`), Buffer.from(`${i}`.repeat(200))]] })
  await writer.deleteDataset('gone')
  await writer.close()
  // The file has two heads, and one that is damaged leaves the other: with the same contents, as of two commits before.
  const again = await LogWriter.open(path)
  for (let i = 0; i < 3; i++) await again.commit({ offsets: [['same', '1']] })
  await again.close()
  const copy = folder()
  copyFileSync(join(path, 'data.mdb'), join(copy, 'data.mdb'))
  return copy
}

class Reader {
  #child: ChildProcess | undefined

  /** A damaged page may end the process later than its own job: only the end of a fresh process is that of the job. */
  async read(job: Job): Promise<Read> {
    const isFresh = this.#child === undefined
    const outcome = await this.#ask(job)
    return 'died' in outcome && !isFresh ? this.#ask(job) : outcome
  }

  #ask(job: Job): Promise<Read> {
    const child = this.#child ?? this.#start()
    return new Promise((resolve, reject) => {
      const watch = setTimeout(() => {
        child.kill('SIGKILL')
        reject(new Error(`Reading ${job.path} hangs.`))
      }, HANG_MS)
      const done = (outcome: Read) => {
        clearTimeout(watch)
        child.off('message', done)
        child.off('exit', died)
        resolve(outcome)
      }
      const died = (code: number | null, signal: string | null) => done({ died: signal ?? `exit code ${code}` })
      child.once('message', done)
      child.once('exit', died)
      child.send(job)
    })
  }

  #start(): ChildProcess {
    const child = fork(join(import.meta.dirname, 'corruption-child.ts'), [], {
      execArgv: ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#child = child
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    // It ended while it was asked: its exit says so.
    child.on('error', () => {})
    return child
  }

  end(): void {
    this.#child?.kill('SIGKILL')
  }
}

/** Mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
