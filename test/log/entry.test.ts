import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { entryUrl } from '../../src/log/entry.ts'
import { DIST, isBuilt, SRC } from '../built.ts'

/** In the folder of the program that is tested, which is the built one where it is there. */
const source = pathToFileURL(join(isBuilt() ? DIST : SRC, 'hub/pool/thread.ts')).href

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
