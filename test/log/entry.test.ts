import { expect, it } from 'vitest'
import { entryUrl } from '../../src/log/entry.ts'

const source = new URL('../../src/hub/pool/thread.ts', import.meta.url).href

it('finds the source beside a source, and the built file beside a built one', () => {
  // What is no part of the program is not there, built.
  expect(entryUrl(import.meta.url, './second-thread.ts', '/b').href).toBe(
    new URL('./second-thread.ts', import.meta.url).href,
  )
  expect(entryUrl('file:///p/dist/hub/pool/thread.js', '../pump-thread.ts').href).toBe(
    'file:///p/dist/hub/pump-thread.js',
  )
})

it('finds the built file of a source where the built program is named', () => {
  expect(entryUrl(source, '../pump-thread.ts', '/b').href).toBe('file:///b/hub/pump-thread.js')
})
