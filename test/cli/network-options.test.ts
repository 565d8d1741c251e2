import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { limitNames } from '../../src/api/limits/limits.ts'
import { readArguments } from '../../src/cli/arguments.ts'
import { limitsOf, networkOf, targetsOf } from '../../src/cli/network-options.ts'
import { commandHelp, usages } from '../../src/cli/usage.ts'
import { temporaryFolder } from '../hub/running-hub.ts'

const given = (...typed: string[]) => readArguments(usages.serve, typed, {})

describe('what serve is told of the network', () => {
  it('is a policy of a file, and proxies by themselves', async () => {
    const path = join(await temporaryFolder(), 'policy.json')
    writeFileSync(path, '{"allow": ["10.0.0.0/8"]}')
    expect(networkOf(given())).toEqual({})
    expect(networkOf(given('--network-policy', path))).toMatchObject({ network: { allow: [{ range: '10.0.0.0/8' }] } })
    expect(networkOf(given('--trusted-proxies', '10.1.1.1, 10.2.0.0/16'))).toEqual({
      network: { trusted_proxies: [{ range: '10.1.1.1' }, { range: '10.2.0.0/16' }] },
    })
    expect(() => networkOf(given('--trusted-proxies', 'proxy.example'))).toThrow("'proxy.example' is no address")
    writeFileSync(path, '{"allow": ["10.0.0.0/99"], "deni": []}')
    expect(() => networkOf(given('--network-policy', path))).toThrow(/deni/)
    writeFileSync(path, '{"allow": ["10.0.0.0/99"]}')
    expect(() => networkOf(given('--network-policy', path))).toThrow(/\/allow\/0\/range: '10.0.0.0\/99' is no address/)
  })

  it('is where systems may go', () => {
    expect(targetsOf(given(), true)).toEqual({ targets: { inner: true, allowed: [] } })
    expect(targetsOf(given('--allow-targets', '10.0.0.0/8,erp.local'), false)).toEqual({
      targets: { inner: false, allowed: ['10.0.0.0/8', 'erp.local'] },
    })
    expect(() => targetsOf(given('--allow-targets', 'http://erp'), false)).toThrow("'http://erp' is no address")
  })

  it('is how much may be asked of it; the help names each limit', () => {
    expect(limitsOf(given())).toEqual({ limits: {} })
    expect(limitsOf(given('--limits', 'connections=500, bulk-at-once=8'))).toEqual({
      limits: { connections: 500, 'bulk-at-once': 8 },
    })
    expect(() => limitsOf(given('--limits', 'connection=5'))).toThrow("Did you mean 'connections'?")
    for (const wrong of ['connections', 'connections=', 'connections=-1', 'connections=0', 'connections=many']) {
      expect(() => limitsOf(given('--limits', wrong)), wrong).toThrow('is a number above 0')
    }
    const help = commandHelp(usages.serve)
    for (const name of limitNames) expect(help).toContain(`\n  ${name} `)
  })
})
