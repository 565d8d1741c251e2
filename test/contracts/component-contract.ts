/** What every registered component keeps, whatever its kind: its schema, its examples and its list of what is missing agree. */

import type { Static, TObject } from 'typebox'
import { Value as Schema } from 'typebox/value'
import { expect, test } from 'vitest'
import type { Finding } from '../../src/pipes/finding.ts'

export interface ComponentType<S extends TObject = TObject> {
  readonly type: string
  readonly summary: string
  readonly config: S
  readonly unsupported?: Readonly<Record<string, string>>
  readonly examples: readonly Record<string, unknown>[]
  check?(config: Static<S>): readonly Finding[]
}

export function componentContract(component: ComponentType): void {
  test('says what it is', () => {
    expect(component.summary).toMatch(/^[A-Z].*\.$/)
  })

  test('has examples, all valid', () => {
    expect(component.examples.length).toBeGreaterThan(0)
    for (const example of component.examples) {
      const filled = Schema.Default(component.config, structuredClone(example))
      expect([...Schema.Errors(component.config, filled)]).toEqual([])
      expect(component.check?.(filled as Static<TObject>) ?? []).toEqual([])
    }
  })

  test('knows its own type only', () => {
    const [example] = component.examples
    const other = Schema.Default(component.config, { ...example, type: 'something-else' })
    expect(Schema.Check(component.config, other)).toBe(false)
  })

  test('lists as missing only what its schema names', () => {
    for (const name of Object.keys(component.unsupported ?? {})) {
      expect(Object.keys(component.config.properties)).toContain(name)
      for (const example of component.examples) expect(Object.keys(example)).not.toContain(name)
    }
  })
}
