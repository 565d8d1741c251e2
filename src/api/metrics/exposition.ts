/** Metrics as text, in the two forms that monitors read: OpenMetrics 1.0 and the older one of Prometheus. */

export type Format = 'openmetrics' | 'prometheus'

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
}

/** What a family is; `stateset`: one sample for each state, 1 for the one that holds. */
export type FamilyType = 'gauge' | 'counter' | 'stateset' | 'histogram' | 'summary' | 'unknown'

export interface Family {
  /** Without the `_total` of counters. */
  readonly name: string
  readonly type: FamilyType
  readonly help: string
}

/** Labels as they are written, with commas between: made once, used in many samples. */
export type LabelText = string

export function labelText(labels: Readonly<Record<string, string | number>>): LabelText {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(',')
}

const escaped = (value: string): string =>
  /[\\"\n]/.test(value) ? value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`)) : value

/** Writes families one after the other; the samples of one come together. */
export class Exposition {
  readonly #format: Format
  #text = ''
  /** Of a counter, when each began, which the older form has as a family of its own. */
  #created = ''

  constructor(format: Format) {
    this.#format = format
  }

  /** The samples that `write` adds are of this family; without any it is left out. */
  family({ name, type, help }: Family, write: (samples: Samples) => void): void {
    const before = this.#text
    const suffix = type === 'counter' && this.#format === 'prometheus' ? '_total' : ''
    const shown = this.#format === 'prometheus' ? OLDER[type] : type
    const head = this.#format === 'openmetrics' ? [`TYPE`, `HELP`] : ['HELP', 'TYPE']
    const said: Record<string, string> = { TYPE: shown, HELP: help.replace(/[\\"\n]/g, ' ') }
    const begin = `${before}${head.map((one) => `# ${one} ${name}${suffix} ${said[one]}\n`).join('')}`
    this.#text = begin
    this.#created = ''
    write(
      new Samples(
        name,
        (text) => this.#add(text),
        (text) => this.#addCreated(text),
      ),
    )
    if (this.#text === begin) this.#text = before
    else if (this.#created !== '') {
      this.#text += `# HELP ${name}_created When ${name}_total began to count.\n# TYPE ${name}_created gauge\n${this.#created}`
    }
  }

  end(): string {
    return this.#format === 'openmetrics' ? `${this.#text}# EOF\n` : this.#text
  }

  #add(text: string): void {
    this.#text += text
  }

  #addCreated(text: string): void {
    if (this.#format === 'openmetrics') this.#text += text
    else this.#created += text
  }
}

/** What the older form calls it. */
const OLDER: Readonly<Record<FamilyType, string>> = {
  gauge: 'gauge',
  counter: 'counter',
  stateset: 'gauge',
  histogram: 'histogram',
  summary: 'summary',
  unknown: 'untyped',
}

export class Samples {
  readonly #name: string
  readonly #add: (text: string) => void
  readonly #addCreated: (text: string) => void

  constructor(name: string, add: (text: string) => void, addCreated: (text: string) => void) {
    this.#name = name
    this.#add = add
    this.#addCreated = addCreated
  }

  /** `suffix`: `_bucket` of a histogram, and the like. What nobody knows is left out. */
  add(labels: LabelText, value: number | null | undefined, suffix = ''): void {
    if (value === null || value === undefined) return
    this.#add(line(`${this.#name}${suffix}`, labels, value))
  }

  /** A counter with when it began to count, in seconds since 1970. */
  count(labels: LabelText, value: number, createdAt: number): void {
    this.#add(line(`${this.#name}_total`, labels, value))
    this.#addCreated(line(`${this.#name}_created`, labels, createdAt))
  }

  /** One sample for each state. */
  states(labels: Readonly<Record<string, string>>, states: readonly string[], present: string): void {
    for (const state of states) {
      this.add(labelText({ ...labels, [this.#name]: state }), state === present ? 1 : 0)
    }
  }
}

const line = (name: string, labels: LabelText, value: number): string =>
  labels === '' ? `${name} ${numberText(value)}\n` : `${name}{${labels}} ${numberText(value)}\n`

const numberText = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
