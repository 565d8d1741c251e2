/** The pumps of a tenant as the pipe runner moves them. */

import { levelsOf } from '../levels.ts'
import { runsInPasses } from '../passes.ts'
import type { TenantCore } from '../tenant/core.ts'
import type { TenantPumps } from '../tenant/pumps.ts'
import type { TenantResetting } from '../tenant/resetting.ts'
import type { RunnerPorts } from './run.ts'

export function runnerPorts(core: TenantCore, pumps: TenantPumps, resetting: TenantResetting): RunnerPorts {
  const { scheduler } = pumps
  const isDisabled = (pipe: string) => scheduler.state(pipe).isDisabled
  return {
    now: Date.now,
    levels: () =>
      levelsOf(core.pipes())
        .map((level) => level.filter((pipe) => pipe.isOfUser && runsInPasses(pipe) && !isDisabled(pipe.id)))
        .filter((level) => level.length > 0),
    invalid: () =>
      [...core.deployment.pipes].flatMap(([id, { pipe, problems }]) => {
        if (pipe !== null) return []
        const error = problems.find(({ level }) => level === 'error')
        return [`Pipe '${id}' has errors in its configuration: ${error?.message ?? 'it cannot run.'}`]
      }),
    disabled: () =>
      core
        .pipes()
        .filter((pipe) => pipe.isOfUser && runsInPasses(pipe) && isDisabled(pipe.id))
        .map(({ id }) => `The pump of pipe '${id}' is disabled and left alone.`),
    run: (pipe) => pumps.runNow(pipe),
    stop: (pipe) => scheduler.stop(pipe),
    waiting: (pipe) => pumps.waiting(pipe),
    reset: (options) => resetting.reset(options),
    compactLogs: () => pumps.housekeeping.daily(),
    hold: (isHeld) => pumps.hold(isHeld),
  }
}
