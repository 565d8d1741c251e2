/** Does what is asked of the pumps of a tenant (rest-api.md §4.2). */

import { forgetBeside, leavesDoubt } from '../../pipes/beside/remains.ts'
import type { User } from '../../pipes/execution/event.ts'
import { fullRunForgotten, sourceOffset, voidFullRun } from '../../pipes/full-run.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import { noteOffset, noteReason, RESCAN_GIVEN_UP, TRACKING_RESET } from '../../pipes/reprocessing/sync-state.ts'
import { forgetRetries } from '../../pipes/retries/queue.ts'
import { BEFORE_ALL, trackedTo, trackingForgotten, trackingOffset } from '../../pipes/tracking/offsets.ts'
import { withSnapshot } from '../datasets.ts'
import { HubError } from '../errors.ts'
import { mayBeOffset } from '../offsets.ts'
import { asOperation } from '../operations.ts'
import type { Scheduler } from '../scheduler.ts'
import type { TenantCore } from './core.ts'
import type { TenantEvents } from './events.ts'
import { forgetting } from './forgetting.ts'
import type { TenantSchema } from './schema.ts'

export class PumpOperations {
  readonly #core: TenantCore
  readonly #scheduler: Scheduler
  readonly #events: TenantEvents
  readonly #schema: TenantSchema

  constructor(core: TenantCore, scheduler: Scheduler, events: TenantEvents, schema: TenantSchema) {
    this.#schema = schema
    this.#core = core
    this.#scheduler = scheduler
    this.#events = events
  }

  /** `user`: who asks. */
  async operate(id: string, asked: string, fields: Readonly<Record<string, string>>, user: User | null): Promise<void> {
    const operation = asOperation(id, this.#core.known(id).pipe, asked)
    switch (operation) {
      case 'start':
      case 'start-rescan':
        this.#core.options.pool.excuse({ tenant: this.#core.options.name, pipe: id })
        // The answer comes when the pump runs, not when it is done.
        this.#scheduler.run(id, { rescan: operation === 'start-rescan', user }).catch(() => {})
        return
      case 'stop':
        return this.#scheduler.stop(id)
      case 'enable':
        await this.#scheduler.setDisabled(id, false, null)
        return this.#events.tell(id, 'pump-enabled', {}, user)
      case 'disable':
        return this.#disable(id, fields.comment ?? null, user)
      case 'update-last-seen':
        return this.#updateLastSeen(this.#core.runnable(id), fields['last-seen'], user)
      case 'set-last-seen-to-end':
        return this.#setToEnd(this.#core.runnable(id), user)
      case 'reset-rescan':
        return this.#resetRescan(id)
      case 'reset-tracking':
        return this.#resetTracking(id)
      case 'set-tracking-to-start':
        return this.#trackFromStart(this.#core.runnable(id))
      case 'discard-retries':
        return this.#discardRetries(id, user)
      case 'discard-inferred-schema':
        await this.#schema.forget(id)
        return this.#events.tell(id, 'pump-discard-inferred-schema', {}, user)
    }
  }

  async #disable(id: string, comment: string | null, user: User | null): Promise<void> {
    await this.#scheduler.setDisabled(id, true, comment)
    await this.#events.tell(id, 'pump-disabled', comment === null ? {} : { comment }, user)
  }

  async #updateLastSeen(pipe: Pipe, offset: string | undefined, user: User | null): Promise<void> {
    if (offset === undefined) {
      throw new HubError('bad-request', "The operation 'update-last-seen' needs the field 'last-seen'.", {
        hint: 'An empty last-seen resets the pipe.',
      })
    }
    if (offset !== '' && !mayBeOffset(pipe, offset)) {
      throw new HubError('bad-request', `The offset '${offset}' is not one of the source of pipe '${pipe.id}'.`, {
        hint: 'It is a whole number, or one for each dataset with commas between them. An empty one resets the pipe.',
      })
    }
    await this.#setOffset(pipe.id, offset === '' ? null : offset, user)
  }

  async #setToEnd(pipe: Pipe, user: User | null): Promise<void> {
    const end = withSnapshot(this.#core, (snapshot) => pipe.source.end?.(snapshot) ?? null)
    // Where nothing is there, nothing is skipped.
    if (end !== null) await this.#setOffset(pipe.id, end, user)
  }

  async #setOffset(id: string, offset: string | null, user: User | null): Promise<void> {
    this.#assertIdle(id, 'its offset is set')
    const former = withSnapshot(this.#core, (snapshot) => snapshot.offset(sourceOffset(id)) ?? null)
    // A full run that was interrupted is given up with the offset it began at.
    await this.#giveUpFullRuns(id)
    const noted = withSnapshot(this.#core, (snapshot) => {
      const from = snapshot.offset(sourceOffset(id)) ?? null
      return noteOffset(id, snapshot, { from, to: offset }, Date.now())
    })
    await this.#core.writer.journal.commit({
      offsets: [[sourceOffset(id), offset]],
      state: [...fullRunForgotten(id), ...noted],
    })
    // Everything is read again after a reset, what waits to be retried as well.
    if (offset === null) await forgetting(this.#core, (present, commit) => forgetRetries(id, present, commit))
    // What it looks like shows anew, too (hub.md §6.2).
    const { supportsSince } = this.#core.runnable(id).source.continuation
    if (offset === null && supportsSince) await this.#schema.forget(id)
    await this.#scheduler.forgetRescan(id)
    this.#scheduler.forget(id)
    const properties = { pipe_offset: offset ?? '', original_pipe_offset: former, is_reset: offset === null }
    await this.#events.tell(id, 'pump-offset-set', properties, user)
  }

  /** Nothing waits to be retried any more; it is not among the dead letters either. */
  async #discardRetries(id: string, user: User | null): Promise<void> {
    this.#assertIdle(id, 'its retries are discarded')
    await forgetting(this.#core, (present, commit) => forgetRetries(id, present, commit))
    await this.#events.tell(id, 'pump-discard-retries', {}, user)
  }

  /** A rescan that was interrupted is given up: the next begins anew. Without an offset the next run reads everything anyway. */
  async #resetRescan(id: string): Promise<void> {
    this.#assertIdle(id, 'its rescan is reset')
    const noted = withSnapshot(this.#core, (snapshot) =>
      leavesDoubt(id, snapshot) ? noteReason(id, snapshot, RESCAN_GIVEN_UP, Date.now()) : [],
    )
    await this.#giveUpFullRuns(id)
    await this.#core.writer.journal.commit({ state: [...fullRunForgotten(id), ...noted] })
    await this.#scheduler.forgetRescan(id)
  }

  /** The pipe follows what it hops to from where that is at its next run; what changed before is not looked at. */
  async #resetTracking(id: string): Promise<void> {
    this.#assertIdle(id, 'its tracking is reset')
    const { offsets, state } = withSnapshot(this.#core, (snapshot) => ({
      offsets: trackingForgotten(id, snapshot),
      state: noteReason(id, snapshot, TRACKING_RESET, Date.now()),
    }))
    await this.#core.writer.journal.commit({ offsets, state })
  }

  /** All that the pipe hops to counts as changed at its next run. What it does not follow yet it takes in by reading all. */
  async #trackFromStart({ id, tracking }: Pipe): Promise<void> {
    this.#assertIdle(id, 'its tracking is set')
    const offsets = withSnapshot(this.#core, (snapshot) =>
      (tracking?.datasets ?? [])
        .filter((dataset) => trackedTo(id, dataset, snapshot) !== undefined)
        .map((dataset) => [trackingOffset(id, dataset), String(BEFORE_ALL)] as const),
    )
    await this.#core.writer.journal.commit({ offsets })
  }

  async #giveUpFullRuns(id: string): Promise<void> {
    await forgetting(this.#core, (present, commit) => voidFullRun(id, present, commit))
    await forgetting(this.#core, (present, commit) => forgetBeside(id, present, commit))
  }

  #assertIdle(id: string, what: string): void {
    if (!this.#scheduler.isRunning(id)) return
    throw new HubError('already-running', `The pump of pipe '${id}' is running; stop it before ${what}.`)
  }
}
