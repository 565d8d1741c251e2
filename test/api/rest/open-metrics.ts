/** A strict reader of OpenMetrics 1.0: whatever its specification says must be, must be. */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Read {
  readonly families: ReadonlyMap<string, { readonly type: string; readonly samples: readonly Sample[] }>
  of(family: string): readonly Sample[]
  readonly text: string
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  gauge: [''],
  counter: ['_total', '_created'],
  stateset: [''],
  histogram: ['_bucket', '_count', '_sum', '_created'],
  summary: ['', '_count', '_sum', '_created'],
  info: ['_info'],
  unknown: [''],
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const NUMBER = /^(?:[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/

interface Family {
  type: string
  help: string | null
  samples: Sample[]
  isClosed: boolean
}

export function readOpenMetrics(text: string): Read {
  must(text.endsWith('# EOF\n'), 'it does not end with # EOF')
  const families = new Map<string, Family>()
  let current: string | null = null
  const open = (name: string): Family => {
    if (name !== current) {
      // The metrics of one family come together.
      if (current !== null) (families.get(current) as Family).isClosed = true
      const known = families.get(name)
      must(known === undefined, `the family ${name} comes twice`)
      families.set(name, { type: 'unknown', help: null, samples: [], isClosed: false })
      current = name
    }
    return families.get(name) as Family
  }
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const comment = /^# (TYPE|HELP|UNIT) (\S+) (.*)$/.exec(line)
    if (comment !== null) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string]
      must(NAME.test(name), `${name} is no name`)
      const family = open(name)
      must(family.samples.length === 0, `${line}: it comes before all samples`)
      if (kind === 'TYPE') {
        must(Object.hasOwn(SUFFIXES, rest), `${line}: no type`)
        family.type = rest
      } else if (kind === 'HELP') {
        must(family.help === null, `${name} has two helps`)
        family.help = rest
      }
      continue
    }
    must(!line.startsWith('#'), `${line}: a comment of no kind`)
    const sample = readSample(line)
    must(current !== null, `${line}: no family`)
    const family = families.get(current as unknown as string) as Family
    const suffixes = (SUFFIXES[family.type] as readonly string[]).map((suffix) => `${current}${suffix}`)
    must(suffixes.includes(sample.name), `${line}: not of a ${family.type} ${current}`)
    family.samples.push(sample)
  }
  for (const [name, family] of families) checkFamily(name, family)
  checkNames(families)
  return { families, text, of: (family) => families.get(family)?.samples ?? [] }
}

function readSample(line: string): Sample {
  const [, name, , inner = '', value] = /^([^{ ]+)(\{(.*)\})? (\S+)$/.exec(line) ?? fail(`no sample: ${line}`)
  must(NAME.test(name as string), `${line}: no name`)
  must(NUMBER.test(value as string), `${line}: no number`)
  const labels: Record<string, string> = {}
  let at = 0
  const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y
  while (at < inner.length) {
    label.lastIndex = at
    const found = label.exec(inner) ?? fail(`no label at ${inner.slice(at)}`)
    must(!Object.hasOwn(labels, found[1] as string), `${line}: a label comes twice`)
    labels[found[1] as string] = (found[2] as string).replace(/\\(.)/g, (_, char: string) =>
      char === 'n' ? '\n' : char,
    )
    at = label.lastIndex
    must(found[3] !== ',' || at < inner.length, `${line}: a comma at the end`)
  }
  const number =
    value === '+Inf' ? Number.POSITIVE_INFINITY : value === '-Inf' ? Number.NEGATIVE_INFINITY : Number(value)
  return { name: name as string, labels, value: number }
}

function checkFamily(name: string, { type, samples }: Family): void {
  const seen = new Set<string>()
  for (const sample of samples) {
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
    must(!seen.has(key), `${key} comes twice`)
    seen.add(key)
    if (type === 'stateset') {
      must(Object.hasOwn(sample.labels, name), `${key}: it names no state`)
      must(sample.value === 0 || sample.value === 1, `${key}: a state holds or not`)
    }
    if (type === 'counter' || type === 'histogram') must(sample.value >= 0, `${key}: below 0`)
  }
  // All of one metric comes before anything of the next.
  const without = ({ labels: { le: _, ...labels } }: Sample) => JSON.stringify(Object.entries(labels).sort())
  const runs = samples.map(without).filter((key, place, all) => type !== 'stateset' && key !== all[place - 1])
  must(new Set(runs).size === runs.length, `${name}: the samples of a metric do not come together`)
  if (type === 'histogram') checkHistogram(name, samples)
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const metrics = grouped(samples)
  for (const [key, all] of metrics) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => labels.le as string)
    must(bounds.at(-1) === '+Inf', `${name} ${key} does not end with +Inf`)
    for (const bound of bounds.slice(0, -1)) must(/\.|e/.test(bound), `${name}: the bound ${bound} has no point`)
    for (const [place, { value }] of buckets.entries()) {
      must(value >= (buckets[place - 1]?.value ?? 0), `${name} ${key}: a bucket is smaller than the one before`)
    }
    const total = all.find((sample) => sample.name === `${name}_count`)?.value
    must(total === buckets.at(-1)?.value, `${name} ${key}: the count is not that of +Inf`)
  }
}

function grouped(samples: readonly Sample[]): Map<string, Sample[]> {
  const found = new Map<string, Sample[]>()
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels
    const key = JSON.stringify(labels)
    found.set(key, [...(found.get(key) ?? []), sample])
  }
  return found
}

/** No name of a sample can be that of two families. */
function checkNames(families: ReadonlyMap<string, Family>): void {
  const taken = new Map<string, string>()
  for (const [name, { type }] of families) {
    for (const suffix of SUFFIXES[type] as readonly string[]) {
      must(!taken.has(name + suffix), `${name + suffix} is of two families`)
      taken.set(name + suffix, name)
    }
  }
}

function must(isSo: boolean, complaint: string): asserts isSo {
  if (!isSo) fail(complaint)
}

function fail(complaint: string): never {
  throw new Error(complaint)
}
