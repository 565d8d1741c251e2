/** Which pumps the node lets run by themselves (hub.md §5.2, §22). */

import type { Pipe } from '../pipes/pipe.ts'

export interface TaskManager {
  /** No pump runs by itself. */
  readonly disablesPumps: boolean
  /** Only those of the hub's own pipes do. */
  readonly disablesUserPipes: boolean
}

export const NO_LIMITS: TaskManager = { disablesPumps: false, disablesUserPipes: false }

export const mayRunBy =
  ({ disablesPumps, disablesUserPipes }: TaskManager) =>
  (pipe: Pipe): boolean =>
    !disablesPumps && !(disablesUserPipes && pipe.isOfUser)
