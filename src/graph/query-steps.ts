/**
 * How far a query may go down: its parser and its planner take a step for each nesting, but also for each link of a chain
 * (`1+1+1`, `{} UNION {}`, `!!!`, one OPTIONAL behind the other), and at the end of their stack the store is lost.
 */

import type { Token } from './sparql-tokens.ts'

/** Some hundreds of brackets would be too many. */
export const MAX_DEPTH = 100
/** Links of all chains that are open at a place. From 300 on some have been seen to end the store. */
export const MAX_LINKS = 250
/** Values of one list; these are cheaper. */
const MAX_COMMAS = 2_500

interface Frame {
  readonly opened: string
  /** Links that stay until it is closed. */
  links: number
  /** Of the path that is being read, which ends with its triple. */
  path: number
  commas: number
}

/** Where it becomes too much; undefined when it never does. */
export function tooFarAt(tokens: readonly Token[]): Token | undefined {
  const frames: Frame[] = [frameOf('')]
  let links = 0
  for (const [place, token] of tokens.entries()) {
    const frame = frames.at(-1) as Frame
    const before = frame.links + frame.path
    if (isOpening(token)) {
      // Groups within a group are a chain; rows of values and arguments are not.
      if (token.text === '{' && frame.opened !== '(') frame.links++
      frames.push(frameOf(token.text))
    } else if (isClosing(token) && frames.length > 1) {
      links -= before
      frames.pop()
      continue
    } else count(token, tokens[place - 1], frame)
    links += frame.links + frame.path - before
    if (links > MAX_LINKS || frames.length > MAX_DEPTH + 1 || frame.commas > MAX_COMMAS) return token
  }
  return undefined
}

const frameOf = (opened: string): Frame => ({ opened, links: 0, path: 0, commas: 0 })

const isOpening = ({ kind, text }: Token): boolean => kind === 'sign' && (text === '{' || text === '(')
const isClosing = ({ kind, text }: Token): boolean => kind === 'sign' && (text === '}' || text === ')')

const OPERATORS = new Set(['|', '&', '+', '-', '*', '/', '!', '=', '<', '>', '^'])
const OF_PATHS = new Set(['|', '/', '^'])
const CLAUSES = new Set(['FILTER', 'BIND'])

function count(token: Token, before: Token | undefined, frame: Frame): void {
  const { kind, text, start } = token
  if (kind === 'word') {
    if (CLAUSES.has(text.toUpperCase())) frame.links++
    return
  }
  if (kind !== 'sign') return
  if (frame.opened === '(') {
    // `||`, `&&` and `^^` are one.
    const isSecond = text !== '!' && before?.text === text && before.end === start
    if (text === ',') frame.commas++
    else if (OPERATORS.has(text) && !isSecond) frame.links++
  } else if (OF_PATHS.has(text)) frame.path++
  else if (text === '.' || text === ';' || text === ',') frame.path = 0
}
