/** What every registered component keeps, whatever its kind: its schema, its examples and its list of what is missing agree. */

import type { Static, TObject } from 'typebox'
import { Value as Schema } from 'typebox/value'
import { expect, test } from 'vitest'
import { checkComponent } from '../../src/config/component.ts'
import { fromPlain } from '../../src/model/json.ts'
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
      expect(component.check?.(filled as Static<TObject>).filter(({ level }) => level === 'error') ?? []).toEqual([])
    }
  })

  test('knows its own type only', () => {
    const [example] = component.examples
    const other = Schema.Default(component.config, { ...example, type: 'something-else' })
    expect(Schema.Check(component.config, other)).toBe(false)
  })

  test('refuses what its schema names and it does not do, and nothing else of the schema', () => {
    const unsupported = component.unsupported ?? {}
    for (const [name, property] of Object.entries(component.config.properties)) {
      const given = (property as { default?: unknown }).default === false ? true : 'something'
      const config = fromPlain({ ...component.examples[0], [name]: given } as never)
      const { problems } = checkComponent(component.config, config, { component: 'c', pointer: '', unsupported })
      const isRefused = problems.some(({ message }) => message.includes('is not supported by this version'))
      expect([name, isRefused]).toEqual([name, name in unsupported])
    }
    expect(Object.keys(component.config.properties)).toEqual(expect.arrayContaining(Object.keys(unsupported)))
  })
}
