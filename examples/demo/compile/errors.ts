/** What is wrong with mappings: all of it at once, each with its file and place. */

export interface MappingProblem {
  readonly file: string
  /** JSON pointer inside the file. */
  readonly pointer: string
  readonly message: string
  readonly hint?: string
}

export class MappingError extends Error {
  override readonly name = 'MappingError'
  readonly code = 'mapping-rejected'
  readonly problems: readonly MappingProblem[]

  constructor(problems: readonly MappingProblem[]) {
    super(['The mappings cannot be compiled:', ...problems.map(lineOf)].join('\n  '))
    this.problems = problems
  }
}

const lineOf = ({ file, pointer, message, hint }: MappingProblem): string =>
  `${file}${pointer === '' ? '' : ` ${pointer}`}: ${message}${hint === undefined ? '' : ` ${hint}`}`
