/**
 * The law of the room: a log answers as a plain model does, whatever is written, deleted, indexed, compacted and
 * reopened, and what another thread sees meanwhile is always one of the model's states.
 *
 * `LAW_PROGRAMS` says how many programs are tried; `npm run test:laws` tries 10,000.
 */

import { rmSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import type { DatasetView, IndexDocument } from '../../src/log/contract.ts'
import { fillIndex } from '../../src/log/fill.ts'
import { startWriter, type WriterThread } from '../../src/log/journal.ts'
import { type LogReader, openLog } from '../../src/log/reader.ts'
import { startThread } from '../../src/log/thread.ts'
import { verifyLog } from '../../src/log/verify/verify.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { get } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { commitInTurn, type Outcome, type PlainCommit } from './client.ts'
import { compareDataset } from './compare.ts'
import {
  applyWrite,
  aWrite,
  type ModelDataset,
  modelDigest,
  newDataset,
  type PlainWrite,
  PROPERTIES,
  type Property,
  packed,
  removable,
  removeVersions,
} from './plain-log.ts'
import { bytes, folder, reading } from './sample.ts'
import type { ToSecond } from './second-thread.ts'

const PROGRAMS = Number(process.env.LAW_PROGRAMS ?? 100)
/** Of them with a second thread, which take longer. */
const THREADED = Math.ceil(PROGRAMS / 4)
const TIMEOUT_MS = 30_000 + PROGRAMS * 2_000
/** Also ends the search for the smallest program that fails, so that what was found is told before the test is over. */
const TIME_LIMIT = { interruptAfterTimeLimit: TIMEOUT_MS - 10_000, markInterruptAsFailure: true }

type Step =
  | {
      readonly type: 'commit'
      readonly writes: readonly PlainWrite[]
      readonly offset: string | null
      readonly isAtOnce: boolean
    }
  | { readonly type: 'delete' | 'assert'; readonly dataset: string }
  | { readonly type: 'index' | 'unindex'; readonly dataset: string; readonly property: Property }
  | {
      readonly type: 'remove'
      readonly dataset: string
      /** Newest versions that stay, of each id. */
      readonly keep: number
      /** Of ids whose newest version is deleted, nothing stays. */
      readonly forget: boolean
      /** Only in the first blocks. */
      readonly blocks: number
    }
  | { readonly type: 'reopen' }

const dataset = fc.constantFrom('d', 'e')
const property = fc.constantFrom(...PROPERTIES)
const writes = fc.array(aWrite(dataset), { minLength: 1, maxLength: 2 })
const offset = fc.option(fc.string())
const only = <T extends string>(...types: T[]) => fc.constantFrom(...types)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ type: only('commit'), writes, offset, isAtOnce: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: only('delete', 'assert'), dataset }) },
  { weight: 2, arbitrary: fc.record({ type: only('index'), dataset, property }) },
  { weight: 1, arbitrary: fc.record({ type: only('unindex'), dataset, property }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: only('remove'),
      dataset,
      keep: fc.integer({ min: 1, max: 3 }),
      forget: fc.boolean(),
      blocks: fc.constantFrom(1, 2, 100),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: only('reopen') }) },
)
const program = fc.array(step, { minLength: 1, maxLength: 25 })

it(
  'answers as a plain model does, through any program of writes, deletes, indexes, removals and reopening',
  async () => {
    await fc.assert(
      fc.asyncProperty(program, (steps) =>
        inHouse(async (house) => {
          for (const one of steps) {
            await house.take(one)
            house.compare()
          }
          await house.verify()
        }),
      ),
      { numRuns: PROGRAMS, ...TIME_LIMIT },
    )
  },
  TIMEOUT_MS,
)

it(
  'shows to another thread, at any moment, one of the states that the model has gone through, in order',
  async () => {
    const second = secondThread()
    let states = 0
    const busy = fc.array(step, { minLength: 10, maxLength: 40 })
    const datasets = (['d', 'e'] as const).map((dataset) => ({ type: 'assert' as const, dataset }))
    await fc.assert(
      fc.asyncProperty(busy, (steps) =>
        inHouse(async (house) => {
          await second.ask({ type: 'watch', path: house.path })
          let seen: string[] = []
          try {
            for (const one of [...datasets, ...steps]) await house.take(one)
          } finally {
            seen = (await second.ask({ type: 'stop' })) as string[]
          }
          let at = 0
          for (const state of seen) {
            at = house.passed.indexOf(state, at)
            expect(at).not.toBe(-1)
          }
          house.compare()
          states += seen.length
        }),
      ),
      { numRuns: THREADED, ...TIME_LIMIT },
    )
    // It did look while the other one wrote.
    expect(states).toBeGreaterThan(2 * THREADED)
  },
  TIMEOUT_MS,
)

const clientCommits = fc.array(
  fc.record({ writes: fc.array(aWrite(dataset), { maxLength: 2 }), isAhead: fc.boolean() }),
  { minLength: 1, maxLength: 15 },
)

it(
  'takes what two threads commit at once in one order, which explains every answer',
  async () => {
    const path = folder()
    const thread = await startWriter(path)
    const second = secondThread()
    const port = thread.connect()
    second.tell({ type: 'connect', path, port }, [port])
    let count = 0
    const oneRound = async (commits: readonly [readonly PlainCommit[], readonly PlainCommit[]], unindexes: boolean) => {
      const names = { d: `d${++count}`, e: `e${count}` }
      for (const name of Object.values(names)) {
        await thread.journal.assertDataset(name)
        for (const property of PROPERTIES) await thread.journal.assertIndex(name, property, '')
      }
      const [mine, its] = commits.map((list, client) => list.map((one, n) => marked(one, names, client, n)))
      second.tell({ type: 'commit', commits: its as PlainCommit[] })
      const answers = commitInTurn(thread.journal, path, mine as PlainCommit[])
      const unindexed = unindexes ? removeIndex(thread, path, names.d) : Promise.resolve()
      const outcomes = [await answers, (await second.answer()) as readonly Outcome[]]
      await unindexed
      const model = new Map(Object.values(names).map((name) => [name, indexed(unindexes && name === names.d)]))
      const order = orderOf(path, names.d)
      expect(order).toHaveLength((mine?.length ?? 0) + (its?.length ?? 0))
      for (const [client, n] of order) {
        const commit = (client === 0 ? mine : its)?.[n] as PlainCommit
        const expected = commit.writes.map((one) => applyWrite(model.get(one.dataset) as ModelDataset, one))
        expect(outcomes[client]?.[n]).toEqual(expected)
      }
      // What one client sent stays in its order, unless something was to be packed again.
      if (!unindexes)
        for (const client of [0, 1])
          expect(order.filter(([one]) => one === client).map(([, n]) => n)).toEqual(
            (client === 0 ? mine : its)?.map((_, n) => n),
          )
      const log = openLog(path)
      reading(log, (snapshot) => {
        for (const [name, one] of model) compareDataset(snapshot.dataset(name) as DatasetView, one)
      })
      log.close()
      for (const name of Object.values(names)) await thread.journal.deleteDataset(name)
    }
    try {
      await fc.assert(fc.asyncProperty(fc.tuple(clientCommits, clientCommits), fc.boolean(), oneRound), {
        numRuns: THREADED,
        ...TIME_LIMIT,
      })
    } finally {
      await thread.close()
    }
  },
  TIMEOUT_MS,
)

/** The commit with names of this round, and an entity in front that says whose it is. */
function marked(
  { writes, isAhead }: PlainCommit,
  names: Readonly<Record<string, string>>,
  client: number,
  n: number,
): PlainCommit {
  const marker = { _id: `commit ${client} ${n}`, _deleted: false, v: 0, p: [], q: [] }
  const first = { dataset: names.d as string, entities: [marker], force: false, deletesOnlyExisting: false }
  return { isAhead, writes: [first, ...writes.map((one) => ({ ...one, dataset: names[one.dataset] as string }))] }
}

/** Whose commits came in which order. */
function orderOf(path: string, name: string): [client: number, n: number][] {
  const log = openLog(path)
  const ids = reading(log, (snapshot) => [...(snapshot.dataset(name) as DatasetView).changes(null)].map(({ id }) => id))
  log.close()
  return ids.flatMap((id) => {
    const [, client, n] = /^commit (\d) (\d+)$/.exec(id) ?? []
    return client === undefined ? [] : [[Number(client), Number(n)] as [number, number]]
  })
}

async function removeIndex(thread: WriterThread, path: string, name: string): Promise<void> {
  const log = openLog(path)
  const indexes = reading(log, (snapshot) => (snapshot.dataset(name) as DatasetView).document.indexes)
  log.close()
  await thread.journal.deleteIndex(name, (indexes[0] as IndexDocument).number)
}

function indexed(withoutFirst: boolean): ModelDataset {
  const model = newDataset()
  for (const property of PROPERTIES.slice(withoutFirst ? 1 : 0)) model.indexes.add(property)
  return model
}

async function inHouse(work: (house: House) => Promise<void>): Promise<void> {
  const house = new House(folder())
  try {
    await house.open()
    await work(house)
  } finally {
    await house.close()
    rmSync(house.path, { recursive: true, force: true })
  }
}

/** The log and its model, side by side. */
class House {
  readonly path: string
  /** All states it has gone through, in order. */
  readonly passed: string[] = []
  readonly #model = new Map<string, ModelDataset>()
  readonly #offsets = new Map<string, string>()
  #writer!: LogWriter
  #log!: LogReader

  constructor(path: string) {
    this.path = path
    this.#pass()
  }

  async open(): Promise<void> {
    this.#writer = await LogWriter.open(this.path)
    this.#log = openLog(this.path)
  }

  async close(): Promise<void> {
    this.#log.close()
    await this.#writer.close()
  }

  #pass(): void {
    this.passed.push(modelDigest(this.#model, this.#offsets))
  }

  async take(step: Step): Promise<void> {
    await this.#take(step)
    this.#pass()
  }

  async #take(step: Step): Promise<void> {
    switch (step.type) {
      case 'commit':
        return this.#commit(step)
      case 'assert':
        await this.#writer.assertDataset(step.dataset)
        if (!this.#model.has(step.dataset)) this.#model.set(step.dataset, newDataset())
        return
      case 'delete':
        expect(await this.#writer.deleteDataset(step.dataset)).toBe(this.#model.delete(step.dataset))
        return
      case 'index': {
        const model = this.#model.get(step.dataset)
        if (model === undefined) return
        const { property } = step
        await fillIndex(this.#writer, this.#log, step.dataset, property, (one) => keysOf(one, property))
        model.indexes.add(property)
        return
      }
      case 'unindex': {
        const index = this.#view(step.dataset)?.document.indexes.find((one) => one.expression === step.property)
        if (index === undefined) return
        expect(await this.#writer.deleteIndex(step.dataset, index.number)).toBe(true)
        this.#model.get(step.dataset)?.indexes.delete(step.property)
        return
      }
      case 'remove':
        return this.#remove(step)
      case 'reopen':
        await this.close()
        return this.open()
    }
  }

  compare(): void {
    reading(this.#log, (snapshot) => {
      const ids = snapshot.datasets().map(({ id }) => id)
      expect(ids.sort()).toEqual([...this.#model.keys()].sort())
      expect(new Map(snapshot.offsets(''))).toEqual(this.#offsets)
      for (const [id, model] of this.#model) compareDataset(snapshot.dataset(id) as DatasetView, model)
    })
  }

  async #commit({ writes, offset, isAtOnce }: Step & { type: 'commit' }): Promise<void> {
    const isRefused = writes.some((one) => !this.#model.has(one.dataset))
    const commit = {
      writes: writes.map((one) => packed(one, this.#view(one.dataset)?.document)),
      offsets: [['o', offset]] as const,
    }
    // A neighbour that is refused, in the same transaction, must leave no trace in this one.
    const neighbour = isAtOnce ? this.#writer.commit({ ...commit, run: { pipe: 'p', number: -1 } }) : null
    const answer = this.#writer.commit(commit)
    if (neighbour !== null) await expect(neighbour).rejects.toMatchObject({ code: 'stale-run' })
    if (isRefused) {
      await expect(answer).rejects.toMatchObject({ code: 'unknown-dataset' })
      return
    }
    const expected = writes.map((one) => applyWrite(this.#model.get(one.dataset) as ModelDataset, one))
    expect(await answer).toEqual({ writes: expected })
    if (offset === null) this.#offsets.delete('o')
    else this.#offsets.set('o', offset)
  }

  #view(dataset: string): DatasetView | undefined {
    return reading(this.#log, (snapshot) => snapshot.dataset(dataset))
  }

  async #remove({ dataset, keep, forget, blocks: most }: Step & { type: 'remove' }): Promise<void> {
    const view = this.#view(dataset)
    const model = this.#model.get(dataset)
    if (view === undefined || model === undefined) return
    const blockOf = reading(this.#log, (snapshot) => {
      const places = (snapshot.dataset(dataset) as DatasetView).places(null)
      return new Map([...places].map(({ sequence, block }) => [sequence, block]))
    })
    const taken = [...new Set(blockOf.values())].slice(0, most)
    const going = removable(model, keep, forget).filter((one) => taken.includes(blockOf.get(one) as number))
    const { generation } = view.document
    const ids = going.filter((one) => [...model.latest.values()].some(({ sequence }) => sequence === one))
    let blocks = taken.map((block) => [block, going.filter((one) => blockOf.get(one) === block)] as const)
    let versions = 0
    // A slice ends when its time is over.
    while (blocks.length > 0) {
      const removed = await this.#writer.remove({ dataset, generation, blocks, ids })
      versions += removed.versions
      removeVersions(model, new Set(blocks.slice(0, removed.blocks).flatMap(([, gone]) => gone)))
      this.#pass()
      blocks = blocks.slice(removed.blocks)
    }
    expect(versions).toBe(going.length)
  }

  /** Nothing in the log is but what it should be, in the tables that no reader sees, too. */
  async verify(): Promise<void> {
    const findings: unknown[] = []
    await verifyLog(this.path, {
      keysOf: (expression, _, one) => keysOf(one, expression as Property),
      found: (finding) => findings.push(finding),
    })
    expect(findings).toEqual([])
  }
}

const keysOf = (one: Entity, property: Property): Uint8Array[] =>
  (get(one, property) as readonly string[]).map((key) => bytes(key))

const threads: Worker[] = []
afterAll(async () => {
  for (const thread of threads) await thread.terminate()
})

/** A thread that watches, or commits; it is asked one thing at a time. */
function secondThread() {
  const worker = startThread(import.meta.url, './second-thread.ts')
  threads.push(worker)
  const answers: { result?: unknown; error?: string }[] = []
  let hear = () => {}
  worker.on('message', (answer) => {
    answers.push(answer)
    hear()
  })
  worker.on('error', (error) => {
    answers.push({ error: String(error) })
    hear()
  })
  const answer = async (): Promise<unknown> => {
    if (answers.length === 0) await new Promise<void>((resolve) => (hear = resolve))
    const { result, error } = answers.shift() ?? {}
    if (error !== undefined) throw new Error(error)
    return result
  }
  const tell = (order: ToSecond, transfer: Parameters<Worker['postMessage']>[1] = []) =>
    worker.postMessage(order, transfer)
  return {
    tell,
    answer,
    ask: (order: ToSecond) => {
      tell(order)
      return answer()
    },
  }
}
