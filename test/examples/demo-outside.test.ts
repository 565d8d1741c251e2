import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mappingFiles } from '../../examples/demo/compile/files.ts'
import { readModel } from '../../examples/demo/compile/model.ts'

const src = join(import.meta.dirname, '../../src')
const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

test('nothing of people and organisations stands in the program: they are configuration', () => {
  const { classes, properties } = readModel(mappingFiles().model)
  // A country, an address, a concept and a position are words of many trades; these are the demo's alone.
  const own = [...classes, ...properties.keys()].filter((name) =>
    /[a-z][A-Z]|^(?:Human|Organisation|employer)$/.test(name),
  )
  const words = new RegExp(`person|\\bhuman|organi[sz]ation|\\bcrm\\b|\\berp\\b|samtale/model|${own.join('|')}`, 'i')
  const found = sources.flatMap((file) =>
    program(readFileSync(join(src, file), 'utf8'))
      .split('\n')
      .flatMap((line) => (words.test(line) ? [`${file}: ${line.trim()}`] : [])),
  )
  expect(found).toEqual([])
})

test('the search is able to find something', () => {
  expect(program("const id = 'crm-person' // a comment")).toContain('crm-person')
  expect(program("/** a person */\nexamples: [{ dataset: ['crm-person'] }],\nhint: 'For example crm.'")).not.toMatch(
    /person|crm/,
  )
})

/** Without comments and examples, which may speak of whatever makes them clear. */
function program(text: string): string {
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$|\s\/\/ .*$/gm, '')
    .replace(/(['"`])(?:(?!\1).)*(?:For example|such as)(?:(?!\1).)*\1/g, "''")
  let kept = ''
  for (let at = 0; at < code.length; ) {
    const example = code.indexOf('examples: [', at)
    if (example < 0) return kept + code.slice(at)
    kept += code.slice(at, example)
    at = endOfList(code, example + 'examples: '.length)
  }
  return kept
}

/** The place behind the bracket that closes the one at `start`. */
function endOfList(code: string, start: number): number {
  let depth = 0
  for (let at = start; at < code.length; at++) {
    if (code[at] === '[') depth++
    if (code[at] === ']' && --depth === 0) return at + 1
  }
  return code.length
}
