/** The background rescans of a thread: who joins one, who waits for one, and when what is known of one is dropped. */

import { PipeError } from '../errors.ts'
import { interruptedRun, sourceOffset } from '../full-run.ts'
import type { Run } from '../run.ts'
import type { RunOrder } from '../schedule.ts'
import { Beside } from './beside.ts'

/** What a run finds when it wants to begin. */
export interface Joined {
  /** What it shares with the other run of its pipe; null: it is alone. */
  readonly beside: Beside | null
  /** Why it may not run now. */
  readonly waiting: PipeError | null
}

interface Open {
  readonly beside: Promise<Beside>
  users: number
}

/** Both runs of a pipe must be on the same thread: they share memory. */
export class Besides {
  readonly #open = new Map<string, Open>()
  /** Runs that are alone: a rescan that is to begin waits until they have ended. */
  readonly #alone = new Map<string, { readonly ended: Promise<void>; readonly end: () => void }>()

  async join(run: Run, order: RunOrder): Promise<Joined> {
    const isBackground = order.isBackground === true
    if (!run.pipe.rescansInBackground) {
      return { beside: null, waiting: isBackground ? later('may not be rescanned in the background any more') : null }
    }
    return isBackground ? this.#joinRescan(run) : this.#joinIncremental(run)
  }

  /** To be called once for each run that joined and was not told to wait. */
  leave({ pipe: { id }, isBackground }: Run, { beside }: Joined): void {
    if (isBackground) beside?.open()
    else beside?.left()
    if (beside === null || (beside.isOver && !isBackground)) {
      this.#alone.get(id)?.end()
      this.#alone.delete(id)
      return
    }
    const open = this.#open.get(id)
    if (open === undefined) return
    open.users--
    if (open.users > 0 && beside.isOver) this.#addAlone(id)
    if (open.users === 0 || beside.isOver) this.#open.delete(id)
  }

  #addAlone(id: string): void {
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    this.#alone.set(id, { ended, end })
  }

  async #joinRescan(run: Run): Promise<Joined> {
    const { id } = run.pipe
    const waiting = notYet(run)
    if (waiting !== null) return { beside: null, waiting }
    const open = this.#open.get(id) ?? this.#begin(id, () => this.#afterThoseAlone(run))
    return this.#share(id, open)
  }

  async #joinIncremental(run: Run): Promise<Joined> {
    const { id } = run.pipe
    const known = this.#open.get(id)
    const found = known === undefined ? Beside.find(run.pipe, run.snapshot) : undefined
    const open = known ?? (found === undefined ? undefined : this.#begin(id, async () => found))
    if (open === undefined) {
      this.#addAlone(id)
      return { beside: null, waiting: null }
    }
    const joined = await this.#share(id, open)
    if (joined.beside?.isShut !== true) return joined
    this.leave(run, joined)
    return { beside: null, waiting: passed() }
  }

  async #share(id: string, open: Open): Promise<Joined> {
    open.users++
    try {
      return { beside: await open.beside, waiting: null }
    } catch (error) {
      this.#open.delete(id)
      throw error
    }
  }

  #begin(id: string, make: () => Promise<Beside>): Open {
    const open = { beside: make(), users: 0 }
    open.beside.catch(() => {})
    this.#open.set(id, open)
    return open
  }

  async #afterThoseAlone(run: Run): Promise<Beside> {
    const { pipe, ports } = run
    await this.#alone.get(pipe.id)?.ended
    const snapshot = run.present()
    if (pipe.sink.kind !== 'dataset') throw new TypeError(`The pipe '${pipe.id}' writes no dataset.`)
    const isDoubtful = pipe.source.beside?.isOther(run.surroundings()) === true
    return Beside.find(pipe, snapshot) ?? Beside.begin(pipe, pipe.sink, snapshot, { token: ports.uuid(), isDoubtful })
  }
}

/** An incremental run begins beside a rescan: gives what ends it, or why it may not. */
export async function beginBeside(run: Run, beside: Beside): Promise<AbortSignal | PipeError> {
  return beside.turns.with(async () => {
    const stored = run.present().offset(sourceOffset(run.pipe.id))
    if (beside.isShut && !beside.isOver) return passed()
    if (!beside.isOver && beside.limit === null && stored !== undefined && !beside.makesState) {
      await beside.saving(() => run.commit({ state: beside.limitTo(stored) }))
    }
    return beside.admit()
  })
}

/** No signal ends it: the scheduler knows when the rescan is over. */
const passed = (): PipeError =>
  new PipeError('waits-for-rescan', 'waits for its rescan in the background, which is further than its offset')

const later = (why: string): PipeError => new PipeError('rescan-later', why)

/** A rescan goes over what a first run brought. */
function notYet({ pipe, snapshot }: Run): PipeError | null {
  if (snapshot.offset(sourceOffset(pipe.id)) === undefined)
    return later('has no offset yet: it reads everything anyway')
  return interruptedRun(pipe.id, snapshot) === undefined ? null : later('goes on with a full run that was interrupted')
}
