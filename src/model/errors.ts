/** What can be wrong with values and texts that come from outside. */

/** The text is not JSON, or nests too deep. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
  readonly code = 'bad-json'
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  readonly details: Readonly<Record<string, unknown>>
  readonly hint = 'Correct the text at that place.'

  constructor(what: string, text: string, offset: number) {
    const lineStart = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1
    const line = lineNumber(text, lineStart)
    const column = offset - lineStart + 1
    super(`Not JSON: ${what} at line ${line}, column ${column}.`)
    this.line = line
    this.column = column
    this.details = { line, column, offset }
  }
}

/** `too-deep`: it nests more than a text may; `bad-transit`: the text is no transit that entities can be made of. */
export type ValueErrorCode = 'too-deep' | 'bad-transit'

/** A value that cannot be kept. */
export class ValueError extends Error {
  override readonly name = 'ValueError'
  readonly code: ValueErrorCode
  readonly details: Readonly<Record<string, unknown>>
  readonly hint: string

  constructor(code: ValueErrorCode, message: string, details: Readonly<Record<string, unknown>>, hint: string) {
    super(message)
    this.code = code
    this.details = details
    this.hint = hint
  }
}

function lineNumber(text: string, lineStart: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < lineStart; at = text.indexOf('\n', at + 1)) line++
  return line
}
