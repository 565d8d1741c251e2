/** All types of rules, in plain sight: those of hub.md §25.3, and the hub's own. */

import { Type } from 'typebox'
import { wildcard } from '../../dtl/wildcard.ts'
import { numberIn, type PumpEvent, textIn } from './event.ts'
import { happened, RIGHT, type RuleType, ruleType, type Verdict, wrong } from './rule-type.ts'

/** Numbers that the execution log tells of a run. */
const PARAMETERS: Readonly<Record<string, string>> = {
  entities_last_run: 'Entities processed',
  changes_last_run: 'Changed entities',
  read_errors_last_run: 'Read errors',
  write_errors_last_run: 'Write errors',
  source_time: 'Source time',
  transform_time: 'Transform time',
  sink_time: 'Sink time',
  total_time: 'Total time',
  entities_succeeded: 'Entities succeeded',
  entities_failed: 'Entities failed',
  'hops.max-cardinality': 'Most rows of a hops',
  'hops.total-rows-last-run': 'Rows of all hops',
  'memory.batch-max-mem-size': 'Memory of a batch',
  'memory.total-peak': 'Most memory',
}

const parameter = Type.Enum(Object.keys(PARAMETERS), { description: 'A number of the entry about the run.' })
const limit = (description: string) => Type.Number({ description })
const NOTHING = Type.Object({})

/** Seconds that are granted beside what the rule says. */
const BUILT_IN_GRACE = 300

const isEnd = ({ type }: PumpEvent): boolean => type === 'pump-completed' || type === 'pump-failed'

/** The value of a run beyond a limit. */
function value(beyond: 'above' | 'below'): Pick<RuleType, 'title' | 'summary'> & {
  isBeyond(found: number, limit: number): boolean
  message(parameter: string, found: number, limit: number): string
} {
  return {
    title: beyond === 'above' ? 'Value too high' : 'Value too low',
    summary: `A number of a run is ${beyond} a limit.`,
    isBeyond: (found, limit) => (beyond === 'above' ? found > limit : found < limit),
    message: (name, found, limit) =>
      `The value of the '${PARAMETERS[name] ?? name}' parameter was ${found}, which is ${beyond} the specified limit ${limit}.`,
  }
}

function valueRule(type: string, beyond: 'above' | 'below'): RuleType {
  const { isBeyond, message, ...told } = value(beyond)
  return ruleType({
    type,
    ...told,
    scope: 'pipe',
    info: Type.Object({ parameter, limit: limit('What it is compared with.') }),
    hear(event, info) {
      if (!isEnd(event)) return null
      const found = numberIn(event, info.parameter)
      if (found === undefined) return null
      return isBeyond(found, info.limit) ? wrong(message(info.parameter, found, info.limit)) : RIGHT
    },
  })
}

/** Beyond the limit run after run, for so long. A pipe that does not run at all changes nothing. */
function overTimeRule(type: string, beyond: 'above' | 'below'): RuleType {
  const { isBeyond, title, summary } = value(beyond)
  return ruleType({
    type,
    title: `${title} over time`,
    summary: `${summary.slice(0, -1)}, run after run, for longer than a time.`,
    scope: 'pipe',
    info: Type.Object({
      parameter,
      limit: limit('What it is compared with.'),
      interval: Type.Number({ minimum: 1, description: 'Seconds for which it must have been so.' }),
    }),
    hear(event, info, memory) {
      if (!isEnd(event)) return null
      const found = numberIn(event, info.parameter)
      if (found === undefined) return null
      if (isBeyond(found, info.limit)) {
        memory.since ??= event.at
        return null
      }
      // From here on nothing at all is below it again.
      if (beyond === 'below') memory.since = event.at
      else delete memory.since
      return RIGHT
    },
    look({ now, watchedSince }, info, memory) {
      // Nothing at all is below any limit, since somebody looks.
      if (beyond === 'below') memory.since ??= watchedSince
      if (memory.since === undefined || now - memory.since < info.interval * 1000) return null
      const name = PARAMETERS[info.parameter] ?? info.parameter
      return wrong(`The value of the '${name}' parameter has been ${beyond} ${info.limit} since ${iso(memory.since)}.`)
    },
  })
}

/** Found in every look, or not. */
const held = (isSo: boolean, msg: () => string): Verdict => (isSo ? wrong(msg()) : RIGHT)

const iso = (ms: number): string => new Date(ms).toISOString()

export const ruleTypes: readonly RuleType[] = [
  ruleType({
    type: 'pump_started_overdue',
    title: 'Pump started overdue',
    summary: 'The pump has not begun to run five minutes, and the grace period, after its schedule said so.',
    scope: 'pipe',
    info: Type.Object({
      grace_period: Type.Optional(Type.Number({ minimum: 0, description: 'Seconds beside the five minutes.' })),
    }),
    look({ now, dueAt, runningSince }, { grace_period = 0 }) {
      const isOverdue = dueAt !== null && runningSince === null && now > dueAt + (BUILT_IN_GRACE + grace_period) * 1000
      return held(isOverdue, () => `The pump should have started at ${iso(dueAt as number)}.`)
    },
  }),
  ruleType({
    type: 'pump_finished_overdue',
    title: 'Pump finished overdue',
    summary: 'A run has gone on for longer than the limit and five minutes.',
    scope: 'pipe',
    info: Type.Object({ limit: Type.Number({ minimum: 0, description: 'Seconds beside the five minutes.' }) }),
    look({ now, runningSince }, info) {
      const isOverdue = runningSince !== null && now - runningSince > (BUILT_IN_GRACE + info.limit) * 1000
      return held(isOverdue, () => `The run that began at ${iso(runningSince as number)} has not ended.`)
    },
  }),
  valueRule('pump_completed_value_too_high', 'above'),
  valueRule('pump_completed_value_too_low', 'below'),
  overTimeRule('pump_completed_value_too_high_over_time', 'above'),
  overTimeRule('pump_completed_value_too_low_over_time', 'below'),
  ruleType({
    type: 'pattern_match',
    title: 'Pattern match',
    summary: 'A text of an event matches a pattern somewhere; * is any run of characters, ? is one.',
    scope: 'pipe',
    info: Type.Object({
      event_type: Type.Optional(
        Type.Enum(
          ['pump-failed', 'pump-completed', 'read-error', 'write-error', 'batch-write-error', 'pump-disabled'],
          { description: 'Which events are looked at; otherwise pump-failed.' },
        ),
      ),
      parameter: Type.Optional(
        Type.Enum(['reason_why_stopped', 'traceback', 'original_error_message', 'original_traceback', 'comment'], {
          description: 'Which text of the event; otherwise reason_why_stopped.',
        }),
      ),
      pattern: Type.String({ minLength: 1, maxLength: 1000 }),
    }),
    hear(event, { event_type = 'pump-failed', parameter: name = 'reason_why_stopped', pattern }) {
      const hasEnded = event_type === 'pump-failed' && isEnd(event)
      if (event.type !== event_type) return hasEnded ? RIGHT : null
      const found = textIn(event, name)
      // In all of a text that somebody wrote, in the beginning of one that a machine did.
      const isMatch = found !== undefined && wildcard(`*${pattern}*`)(found.slice(0, 100_000))
      if (!isMatch) return hasEnded ? RIGHT : null
      const msg = `The ${name} of a ${event_type} event matches '${pattern}': ${shortened(found)}`
      return event_type === 'pump-failed' ? wrong(msg) : happened(msg)
    },
  }),
  ruleType({
    type: 'pump_failed',
    title: 'Pump failed',
    summary: 'The last run failed, for whatever reason; one that somebody stopped did not.',
    scope: 'pipe',
    info: NOTHING,
    hear(event) {
      if (event.type === 'pump-completed') return RIGHT
      if (event.type !== 'pump-failed' || event.entry.interrupted === true) return null
      return wrong(`The pump failed: ${shortened(textIn(event, 'reason_why_stopped') ?? 'it did not say why')}`)
    },
  }),
  ruleType({
    type: 'pump_failed_in_a_row',
    title: 'Pump failed again and again',
    summary: 'So many runs in a row failed.',
    scope: 'pipe',
    info: Type.Object({ limit: Type.Integer({ minimum: 1, description: 'Failed runs.' }) }),
    hear(event, info, memory) {
      if (event.type === 'pump-completed') {
        memory.count = 0
        return RIGHT
      }
      if (event.type !== 'pump-failed' || event.entry.interrupted === true) return null
      memory.count = (memory.count ?? 0) + 1
      if (memory.count < info.limit) return null
      const why = shortened(textIn(event, 'reason_why_stopped') ?? '')
      return wrong(`The pump failed ${memory.count} times in a row. The last time: ${why}`)
    },
  }),
  ruleType({
    type: 'pump_offset_set',
    title: 'Pump offset set',
    summary: 'The offset of the pipe was set: by somebody, or by the hub because what it reads was restored.',
    scope: 'pipe',
    info: NOTHING,
    hear(event) {
      if (event.type !== 'pump-offset-set') return null
      const { is_reset, pipe_offset, user } = event.entry as {
        user?: { user_id?: unknown; remote_addr?: unknown }
      } & Record<string, unknown>
      const who = user === undefined ? 'the hub' : String(user.user_id ?? user.remote_addr)
      return happened(
        is_reset === true ? `The pipe was reset by ${who}.` : `The offset was set to '${pipe_offset}' by ${who}.`,
      )
    },
  }),
  ruleType({
    type: 'restore_completed',
    title: 'Restore completed',
    summary: 'The pipe, its state and its data were restored from a backup.',
    scope: 'pipe',
    info: NOTHING,
    hear: (event) => (event.type === 'restore-completed' ? happened('It was restored from a backup.') : null),
  }),
  ruleType({
    type: 'pump_not_run_for',
    title: 'Pump has not run',
    summary: 'No run has ended for longer than a time, whatever the reason.',
    scope: 'pipe',
    info: Type.Object({ limit: Type.Number({ minimum: 1, description: 'Seconds.' }) }),
    look({ now, lastEndedAt, watchedSince }, info) {
      const since = Math.max(lastEndedAt ?? 0, watchedSince)
      const isLate = now - since > info.limit * 1000
      return held(isLate, () => `No run has ended since ${iso(lastEndedAt ?? watchedSince)}.`)
    },
  }),
  ruleType({
    type: 'queue_too_long',
    title: 'Too much waits',
    summary: 'More changes than a limit wait to be taken in.',
    scope: 'pipe',
    info: Type.Object({ limit: Type.Integer({ minimum: 0, description: 'Changes.' }) }),
    look(pipe, info) {
      const queue = pipe.queue()
      return held(queue > info.limit, () => `${queue} changes wait to be taken in, more than ${info.limit}.`)
    },
  }),
  ruleType({
    type: 'lag_too_long',
    title: 'Changes wait too long',
    summary: 'The oldest change that the pipe has not taken in has waited for longer than a time.',
    scope: 'pipe',
    info: Type.Object({ limit: Type.Number({ minimum: 1, description: 'Seconds.' }) }),
    look(pipe, info) {
      const seconds = pipe.waitingSeconds()
      return held(
        seconds > info.limit,
        () => `A change has waited for ${Math.round(seconds)} s, more than ${info.limit} s.`,
      )
    },
  }),
  ruleType({
    type: 'dead_letters',
    title: 'Dead letters',
    summary: 'More entities than a limit were given up.',
    scope: 'pipe',
    info: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 0, description: 'Entities; otherwise 0.' })) }),
    look(pipe, { limit = 0 }) {
      const found = pipe.deadLetters()
      return held(found > limit, () => `${found} dead letters, more than ${limit}.`)
    },
  }),
  ruleType({
    type: 'retries_waiting',
    title: 'Retries wait',
    summary: 'More entities than a limit wait to be retried.',
    scope: 'pipe',
    info: Type.Object({ limit: Type.Integer({ minimum: 0, description: 'Entities.' }) }),
    look(pipe, info) {
      const found = pipe.retryable()
      return held(found > info.limit, () => `${found} entities wait to be retried, more than ${info.limit}.`)
    },
  }),
  ruleType({
    type: 'circuit_breaker_tripped',
    title: 'Circuit breaker tripped',
    summary: 'The circuit breaker of the dataset that the pipe writes tripped, and waits for a decision.',
    scope: 'pipe',
    info: NOTHING,
    look: ({ isTripped }) =>
      held(isTripped, () => 'The circuit breaker tripped: commit what it holds back, or roll it back.'),
  }),
  ruleType({
    type: 'store_disk_usage_upper_limit',
    title: 'Disk usage',
    summary: 'More than a share of the disk of the data folder is used.',
    scope: 'node',
    info: Type.Object({ limit: Type.Number({ minimum: 1, maximum: 100, description: 'Percent.' }) }),
    lookAtNode({ diskUsedPercent }, info) {
      if (diskUsedPercent === null) return null
      const isFull = diskUsedPercent > info.limit
      return held(isFull, () => `${diskUsedPercent.toFixed(1)} % of the disk is used, more than ${info.limit} %.`)
    },
  }),
  ruleType({
    type: 'backup_trouble',
    title: 'Backup trouble',
    summary: 'A backup failed, or the newest one is too old.',
    scope: 'node',
    info: NOTHING,
    lookAtNode: ({ backupTrouble }) => held(backupTrouble !== null, () => `Backups: ${backupTrouble}`),
  }),
  ruleType({
    type: 'hub_unwell',
    title: 'Hub unwell',
    summary: 'The hub says of itself that somebody has to look at it (GET /api/health).',
    scope: 'node',
    info: NOTHING,
    lookAtNode: ({ reasons }) => held(reasons.length > 0, () => reasons.map(({ message }) => message).join(' ')),
  }),
]

export const findRuleType = (type: string): RuleType | undefined => ruleTypes.find((one) => one.type === type)

const shortened = (text: string): string => (text.length <= 2_000 ? text : `${text.slice(0, 2_000)}…`)
