import { describe, expect, it } from 'vitest'
import { type ComponentPermission, NO_LIMITS } from '../../../src/hub/access/permission.ts'
import { isAllowed, readRules } from '../../../src/hub/access/rules.ts'
import { parseJson } from '../../../src/model/json.ts'

const read = (given: unknown) => readRules(parseJson(JSON.stringify(given)))
const somebody = (...roles: string[]) => ({ userId: null, roles: new Set(roles), limits: NO_LIMITS })
const decide = (roles: readonly string[], permission: ComponentPermission, rules: unknown, isOwn = false): boolean =>
  isAllowed(somebody(...roles), permission, read(rules).rules, { kind: 'pipe', isOwn })

describe('a list of permissions', () => {
  it('is read, and gives its mistakes all at once, each with its place', () => {
    expect(read([['allow', ['a'], ['read_data']]])).toEqual({
      rules: [{ effect: 'allow', roles: ['a'], permissions: ['read_data'] }],
      findings: [],
    })
    const { rules, findings } = read([
      ['alow', [], []],
      'x',
      ['deny', 'a', []],
      ['deny', [], ['reed_data']],
      ['deny', [], 3],
    ])
    expect(rules).toEqual([])
    expect(findings.map(({ pointer }) => pointer)).toEqual(['/0/0', '/1', '/2/1', '/3/2/0', '/4/2'])
    expect(findings[3]?.hint).toBe("Did you mean 'read_data'?")
    expect(read({ a: 1 }).findings).toHaveLength(1)
  })

  it('denies whatever else allows, wherever it stands', () => {
    const rules = [
      ['deny', ['b'], ['read_data']],
      ['allow', ['a'], ['read_data', 'write_data']],
    ]
    expect(decide(['a'], 'read_data', rules)).toBe(true)
    expect(decide(['a', 'b'], 'read_data', rules)).toBe(false)
    expect(decide(['a', 'b'], 'read_data', [...rules].reverse())).toBe(false)
    expect(decide(['a', 'b'], 'write_data', rules)).toBe(true)
    expect(decide(['group:Developer', 'b'], 'read_data', rules)).toBe(false)
  })

  it('leaves to the table of roles what it does not speak of', () => {
    expect(decide(['group:Developer'], 'write_config', [])).toBe(true)
    expect(decide(['group:User'], 'write_config', [])).toBe(false)
    expect(decide(['group:User'], 'write_config', [], true)).toBe(true)
    expect(decide(['group:Guest'], 'read_config', [])).toBe(true)
    expect(decide(['group:Guest'], 'read_data', [])).toBe(false)
    expect(decide(['group:Everyone'], 'read_config', [])).toBe(false)
  })

  it('locks no administrator out', () => {
    expect(decide(['group:Admin', 'b'], 'read_data', [['deny', ['group:Admin', 'b'], ['read_data']]])).toBe(true)
  })

  it('opens to everybody what strangers may, and denies strangers only what they may not', () => {
    const open = [['allow', ['group:Anonymous'], ['write_data']]]
    expect(decide(['group:Anonymous'], 'write_data', open)).toBe(true)
    expect(decide(['group:Everyone'], 'write_data', open)).toBe(true)
    const shut = [
      ['deny', ['group:Anonymous'], ['write_data']],
      ['allow', ['group:Everyone'], ['write_data']],
    ]
    expect(decide(['group:Anonymous'], 'write_data', shut)).toBe(false)
    expect(decide(['group:Everyone', 'x'], 'write_data', shut)).toBe(true)
  })
})
