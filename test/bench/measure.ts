/** How the benchmarks count: rounds in turn after a warm-up, medians and ranges, and a table with ratio and target. */

export interface Figure {
  readonly name: string
  readonly unit: string
  /** One value for each counted round: work per second, or seconds when `isLess`. */
  readonly values: readonly number[]
  /** What the benchmark asks for. */
  readonly target: number
  /** The raw library or a peer, in the same run. */
  readonly peer?: {
    readonly name: string
    readonly values: readonly number[]
    /** Ratio to it that is asked for, too. */
    readonly least?: number
  }
  /** Smaller is better. */
  readonly isLess?: boolean
  /** CPU seconds, memory and the like, as text. */
  readonly notes?: readonly string[]
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/** How far it came: 1 is the target. */
export const achieved = ({ values, target, isLess }: Figure): number =>
  isLess ? target / median(values) : median(values) / target

export const ratioOf = ({ values, peer }: Figure): number | null =>
  peer === undefined ? null : median(values) / median(peer.values)

/** Runs the contenders in turn (A B A B), `rounds` times after one warm-up each; gives what each measured. */
export async function inTurn<K extends string>(
  contenders: Readonly<Record<K, () => Promise<number> | number>>,
  rounds: number,
): Promise<Record<K, number[]>> {
  const names = Object.keys(contenders) as K[]
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>
  for (const name of names) await contenders[name]()
  for (let round = 0; round < rounds; round++) {
    for (const name of names) values[name].push(await contenders[name]())
  }
  return values
}

const shown = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3))

export function describe(figure: Figure): string[] {
  const { name, unit, values, target, peer, notes = [] } = figure
  const range = `${shown(Math.min(...values))} to ${shown(Math.max(...values))}`
  const lines = [
    `${name}: ${shown(median(values))} ${unit} (${range}; target ${shown(target)}, ${achieved(figure).toFixed(2)} of it)`,
  ]
  if (peer !== undefined) {
    const least = peer.least === undefined ? '' : ` (at least ${peer.least})`
    lines.push(`  ${peer.name}: ${shown(median(peer.values))} ${unit}; ratio ${ratioOf(figure)?.toFixed(2)}${least}`)
  }
  return [...lines, ...notes.map((note) => `  ${note}`)]
}

/** A benchmark whose results are not right has no figure. */
export function mustEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what}: expected ${String(expected)}, found ${String(actual)}.`)
}
