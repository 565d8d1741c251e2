/** `samtale schema NAME`: what the entities of a pipe or a dataset look like, one line for each property. */

import { didYouMean } from '../config/problems.ts'
import { ShapeFold } from '../hub/shape.ts'
import type { Snapshot } from '../log/contract.ts'
import { writeJson } from '../model/json.ts'
import { compareText } from '../model/order.ts'
import type { EntityType } from '../pipes/schema/entity-type.ts'
import { storedSchema } from '../pipes/schema/pipe-schema.ts'
import { typeDocument } from '../pipes/schema/type-document.ts'
import { type DictType, KINDS, type ValueType } from '../pipes/schema/value-type.ts'
import { UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { withLog } from './reading.ts'
import { table } from './terminal.ts'

/** Characters of the samples on a terminal. */
const WIDTH = 60

export const schema: Command = async ({ given, terminal }) => {
  const name = given.positionals[0] as string
  const type = withLog(given, (snapshot) => typeOf(snapshot, name, given.flag('source') ? 'source' : 'sink'))
  if (given.flag('json')) {
    terminal.line(JSON.stringify(JSON.parse(writeJson(typeDocument(type), { transit: false })), null, 2))
    return 0
  }
  const rows = [...rowsOf(type.root, '', type.count)]
  for (const [place, line] of table(HEADINGS, rows).entries()) terminal.line(place === 0 ? terminal.bold(line) : line)
  const deleted = type.deleted === 0 ? '' : `, and ${type.deleted.toLocaleString('en')} deleted`
  terminal.line(`${type.count.toLocaleString('en')} entities seen${deleted}${timesOf(type)}.`)
  if (type.isTruncated) terminal.line(terminal.yellow('There were too many properties: what came later is not in it.'))
  return 0
}

const HEADINGS = ['property', 'kinds', 'in', 'namespaces', 'since', 'samples']

/** As it was counted for a pipe of that name; otherwise a dataset's log is read through. */
function typeOf(snapshot: Snapshot, name: string, side: 'source' | 'sink'): EntityType {
  const counted = storedSchema(name, snapshot)?.[side]
  if (counted !== undefined && counted.firstSeen !== null) return counted
  const view = snapshot.dataset(name)
  if (view === undefined || side === 'source') throw unknown(snapshot, name, side)
  const fold = new ShapeFold(view.document.generation)
  for (const _ of fold.slices(view));
  return fold.type
}

function unknown(snapshot: Snapshot, name: string, side: 'source' | 'sink'): UsageError {
  if (side === 'source') return new UsageError(`nothing is known of what a pipe '${name}' reads.`)
  const meant = didYouMean(
    name,
    snapshot.datasets().map(({ id }) => id),
  )
  return new UsageError(
    `there is no dataset '${name}', and nothing is known of a pipe of that name.${meant ? ` ${meant}` : ''}`,
  )
}

type Row = readonly (string | number)[]

function* rowsOf({ properties }: DictType, before: string, whole: number): Generator<Row> {
  const named = [...properties.values()].sort((a, b) => compareText(a.name, b.name))
  for (const { name, value, count, firstSeen } of named) {
    yield* valueRows(value, `${before}${name}`, share(count, whole), new Date(firstSeen).toISOString().slice(0, 10))
  }
}

function* valueRows(value: ValueType, path: string, often: string, since: string): Generator<Row> {
  const { namespaces, hasMoreNamespaces, dict, items, samples } = value
  const spaces = [...(namespaces ?? []), ...(hasMoreNamespaces ? ['…'] : [])].join(' ')
  yield [path, kindsText(value), often, spaces, since, cut(samples.join(' '))]
  if (dict !== null) yield* rowsOf(dict, `${path}.`, value.counts[DICT] as number)
  if (items !== null) yield* valueRows(items, `${path}[]`, lengths(value), since)
}

const DICT = KINDS.indexOf('dict')

/** The most frequent first. */
function kindsText({ counts }: ValueType): string {
  const seen = KINDS.map((kind, number) => [kind, counts[number] as number] as const).filter(([, count]) => count > 0)
  return seen
    .sort(([, a], [, b]) => b - a)
    .map(([kind]) => kind)
    .join(', ')
}

const lengths = ({ minItems, maxItems }: ValueType): string =>
  minItems === maxItems ? `${maxItems} each` : `${minItems} to ${maxItems} each`

function share(count: number, whole: number): string {
  const percent = (100 * count) / whole
  if (count === whole) return 'all'
  return percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(1)} %`
}

function timesOf({ firstSeen, lastSeen }: EntityType): string {
  if (firstSeen === null || lastSeen === null) return ''
  return `, from ${new Date(firstSeen).toISOString()} to ${new Date(lastSeen).toISOString()}`
}

const cut = (text: string): string => (text.length <= WIDTH ? text : `${text.slice(0, WIDTH)}…`)
