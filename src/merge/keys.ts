/** Keys of bounded size and without NUL, made from texts that may be anything. */

import { createHash } from 'node:crypto'
import type { NodeKey } from './contract.ts'

/** Code units of a text that goes into a key as it is. */
const WHOLE = 160
const MARK = '\u0001'

/** Small numbers as one printable character, in order. */
export const letter = (number: number): string => String.fromCharCode(0x21 + number)
export const numberOf = (text: string, at = 0): number => text.charCodeAt(at) - 0x21

const isAwkward = (text: string): boolean => text.length > WHOLE || text.startsWith(MARK) || text.includes('\u0000')

/** The text itself, or a mark and its SHA-256: equal exactly when the texts are equal, as far as anyone can tell. */
export const boundKey = (text: string): string =>
  isAwkward(text) ? MARK + createHash('sha256').update(text).digest('hex') : text

/** Inputs have numbers of their own, which say nothing of their order and are never given twice. */
export const nodeKey = (input: number, id: string): NodeKey => letter(input) + boundKey(id)
export const inputOf = (node: NodeKey): number => numberOf(node)
/** The id in the key, or undefined when only its hash is there. */
export const shortIdOf = (node: NodeKey): string | undefined => (node[1] === MARK ? undefined : node.slice(1))
