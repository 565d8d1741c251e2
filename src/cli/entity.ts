/** `samtale entity DATASET ID`: the versions of one entity, oldest to newest, each with what changed since the one before. */

import { didYouMean } from '../config/problems.ts'
import type { DatasetView, Snapshot, Version } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { entries, get } from '../model/dict.ts'
import { writeJson } from '../model/json.ts'
import type { Value } from '../model/value.ts'
import { UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { withLog } from './reading.ts'
import type { Terminal } from './terminal.ts'

/** One version, its values as JSON text. */
interface Shown {
  readonly sequence: number
  readonly previous: number | null
  readonly deleted: boolean
  /** ISO 8601. */
  readonly time: string
  readonly hash: string
  readonly values: ReadonlyMap<string, string>
}

interface Difference {
  readonly property: string
  readonly before: string | null
  readonly after: string | null
}

/** Characters of a value on a terminal. */
const WIDTH = 100

export const entity: Command = async ({ given, terminal }) => {
  const [dataset, id] = given.positionals as [string, string]
  const versions = withLog(given, (snapshot) => versionsOf(viewOf(snapshot, dataset), id))
  if (versions.length === 0) {
    terminal.note(`samtale: there is no entity '${id}' in the dataset '${dataset}'.`)
    return 1
  }
  const shown = versions.map((version, place) => ({ version, changes: differences(versions[place - 1], version) }))
  if (given.flag('json')) terminal.line(JSON.stringify(shown.map(jsonOf), null, 2))
  else for (const one of shown) show(one, terminal)
  return 0
}

function viewOf(snapshot: Snapshot, id: string): DatasetView {
  const view = snapshot.dataset(id)
  if (view !== undefined) return view
  const meant = didYouMean(
    id,
    snapshot.datasets().map((one) => one.id),
  )
  throw new UsageError(`there is no dataset '${id}'.${meant === undefined ? '' : ` ${meant}`}`)
}

/** Along `_previous`, as far as compaction has left them. */
function versionsOf(view: DatasetView, id: string): readonly Shown[] {
  const versions: Shown[] = []
  for (let one = view.latest(id); one !== undefined; ) {
    versions.unshift(shownOf(one))
    one = one.previous === null ? undefined : view.version(one.previous)
  }
  return versions
}

function shownOf(version: Version): Shown {
  const { sequence, previous, deleted, ts, hash } = version
  const content = entityOf(version, { internal: false })
  const values = [...entries(content)].filter(([name]) => name !== '_id' && name !== '_deleted')
  return {
    sequence,
    previous,
    deleted,
    time: new Date(ts / 1000).toISOString(),
    hash,
    values: new Map(values.map(([name]) => [name, writeJson(get(content, name) as Value)])),
  }
}

function differences(before: Shown | undefined, after: Shown): readonly Difference[] {
  const names = new Set([...(before?.values.keys() ?? []), ...after.values.keys()])
  return [...names].flatMap((property) => {
    const [was, is] = [before?.values.get(property) ?? null, after.values.get(property) ?? null]
    return was === is ? [] : [{ property, before: was, after: is }]
  })
}

const jsonOf = ({ version: { values, ...rest }, changes }: { version: Shown; changes: readonly Difference[] }) => ({
  ...rest,
  values: Object.fromEntries([...values].map(([name, text]) => [name, JSON.parse(text)])),
  changes: changes.map(({ property, before, after }) => ({
    property,
    ...(before === null ? {} : { before: JSON.parse(before) }),
    ...(after === null ? {} : { after: JSON.parse(after) }),
  })),
})

function show({ version, changes }: { version: Shown; changes: readonly Difference[] }, terminal: Terminal): void {
  const { sequence, time, deleted, hash } = version
  terminal.line(terminal.bold(`${sequence}  ${time}  ${hash.slice(0, 8)}${deleted ? '  deleted' : ''}`))
  for (const { property, before, after } of changes) {
    if (before !== null) terminal.line(terminal.red(`  - ${property}: ${cut(before)}`))
    if (after !== null) terminal.line(terminal.green(`  + ${property}: ${cut(after)}`))
  }
}

const cut = (text: string): string =>
  text.length <= WIDTH ? text : `${text.slice(0, WIDTH)}… (${text.length.toLocaleString('en')} characters)`
