import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { OPEN_POLICY } from '../../src/config/network-policy.ts'
import { StoredNetworkPolicy } from '../../src/hub/network.ts'

const folder = mkdtempSync(join(tmpdir(), 'samtale-network-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'network.json')
beforeEach(() => rmSync(path, { force: true }))

const office = { ...OPEN_POLICY, allow: [{ range: '10.0.0.0/8', description: 'office' }] }

describe('the network policy of a node', () => {
  it('is open until somebody says otherwise, and outlives a restart', () => {
    expect(new StoredNetworkPolicy(path).current.document).toEqual(OPEN_POLICY)
    expect(existsSync(path)).toBe(false)
    new StoredNetworkPolicy(path).replace(office)
    expect(new StoredNetworkPolicy(path).current.document).toEqual(office)
    expect(existsSync(`${path}.part`)).toBe(false)
  })

  it('is what the start says, for as much as it says, and that is stored', () => {
    new StoredNetworkPolicy(path).replace(office)
    const proxies = [{ range: '10.1.1.1' }]
    expect(new StoredNetworkPolicy(path, { trusted_proxies: proxies }).current.document).toEqual({
      ...office,
      trusted_proxies: proxies,
    })
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ ...office, trusted_proxies: proxies })
  })

  it('that cannot be read lets the hub not start, rather than letting everybody in', () => {
    for (const text of ['{', '{"alow": []}', '{"allow": ["10.0.0.0/99"]}', '[]']) {
      writeFileSync(path, text)
      expect(() => new StoredNetworkPolicy(path), text).toThrow(expect.objectContaining({ code: 'bad-data' }))
    }
  })
})
