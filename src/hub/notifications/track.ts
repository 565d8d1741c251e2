/** What is remembered of a rule and a pipe, and of how far an execution log was heard: rows of the log's state. */

import type { Snapshot } from '../../log/contract.ts'
import { boundKey } from '../../merge/keys.ts'
import type { StateChange } from '../../pipes/state.ts'
import type { Notification } from './notification.ts'
import type { Memory } from './rule-type.ts'

/** No pipe has a name that begins so. */
const PREFIX = '\u0000notifications\u0000'

export interface Track {
  readonly ruleId: string
  readonly pipe: string | null
  memory: Memory
  /** The last one; null: none yet. */
  notification: Notification | null
  /** When somebody was told that it began. */
  toldAt: number | null
  /** Events up to when its dataset was written last. */
  writtenCount: number
  writtenAt: number
}

export const newTrack = (ruleId: string, pipe: string | null): Track => ({
  ruleId,
  pipe,
  memory: {},
  notification: null,
  toldAt: null,
  writtenCount: 0,
  writtenAt: 0,
})

/** Names a track within a tenant. */
export const trackName = (ruleId: string, pipe: string | null): string => `${ruleId} ${pipe ?? ''}`

const trackKey = ({ ruleId, pipe }: Pick<Track, 'ruleId' | 'pipe'>): Uint8Array =>
  Buffer.from(`${PREFIX}track\u0000${ruleId}\u0000${pipe === null ? '' : boundKey(pipe)}`)

export const trackSaved = (track: Track): StateChange => [trackKey(track), Buffer.from(JSON.stringify(track))]

export const trackForgotten = (track: Track): StateChange => [trackKey(track), null]

export const savedTracks = (snapshot: Snapshot): readonly Track[] =>
  [...snapshot.states(Buffer.from(`${PREFIX}track\u0000`))].map(([, row]) => parsed<Track>(row))

/** How far the execution log of a pipe was heard. */
export interface Heard {
  readonly pipe: string
  readonly generation: string
  readonly sequence: number
}

const heardKey = (pipe: string): Uint8Array => Buffer.from(`${PREFIX}heard\u0000${boundKey(pipe)}`)

export const heardSaved = (heard: Heard): StateChange => [heardKey(heard.pipe), Buffer.from(JSON.stringify(heard))]

export const heardForgotten = (pipe: string): StateChange => [heardKey(pipe), null]

export const savedHeard = (snapshot: Snapshot): readonly Heard[] =>
  [...snapshot.states(Buffer.from(`${PREFIX}heard\u0000`))].map(([, row]) => parsed<Heard>(row))

/** Something that somebody is to be told. */
export interface Entry {
  /** In the order in which they came. */
  readonly id: string
  readonly ruleId: string
  readonly pipe: string | null
  readonly notification: string
  readonly target: Target
  readonly what: 'opened' | 'happened' | 'resolved'
  readonly isUrgent: boolean
  /** Milliseconds since 1970, all of them. */
  readonly createdAt: number
  readonly dueAt: number
  readonly attempts: number
  readonly lastError: string | null
}

export interface Target {
  readonly kind: 'email' | 'webhook'
  readonly address: string
  /** `$SECRET(name)`. */
  readonly secret?: string
}

const entryKey = (id: string): Uint8Array => Buffer.from(`${PREFIX}out\u0000${id}`)

export const entrySaved = (entry: Entry): StateChange => [entryKey(entry.id), Buffer.from(JSON.stringify(entry))]

export const entryForgotten = (id: string): StateChange => [entryKey(id), null]

export const savedEntries = (snapshot: Snapshot): readonly Entry[] =>
  [...snapshot.states(Buffer.from(`${PREFIX}out\u0000`))].map(([, row]) => parsed<Entry>(row))

const parsed = <T>(row: Uint8Array): T => JSON.parse(Buffer.from(row).toString('utf8')) as T
