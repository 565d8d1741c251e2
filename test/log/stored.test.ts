import { describe, expect, it } from 'vitest'
import type { Version } from '../../src/log/contract.ts'
import { entityOf, storedJson } from '../../src/log/stored.ts'
import { writeJson } from '../../src/model/json.ts'

const version: Version = {
  id: 'å',
  sequence: 7,
  previous: 3,
  deleted: true,
  ts: 1_489_654_249_474_509,
  hash: '0123456789abcdef0123456789abcdef',
  body: Buffer.from('{"_id":"å","n":12345678901234567890,"f":1.0,"t":"~t2020-01-01T00:00:00Z"}'),
}

describe('a stored version', () => {
  it('is spliced into JSON text with nothing of its body changed', () => {
    expect(storedJson(version)).toBe(
      '{"_id":"å","n":12345678901234567890,"f":1.0,"t":"~t2020-01-01T00:00:00Z",' +
        '"_deleted":true,"_updated":7,"_previous":3,"_ts":1489654249474509,"_hash":"0123456789abcdef0123456789abcdef"}',
    )
    expect(JSON.parse(storedJson({ ...version, previous: null, body: Buffer.from('{"_id":"a"}') }))).toMatchObject({
      _id: 'a',
      _previous: null,
    })
  })

  it('is parsed to the same, with or without the internal properties', () => {
    expect(writeJson(entityOf(version, { internal: true }))).toBe(storedJson(version))
    expect(writeJson(entityOf(version, { internal: false }))).toBe(
      `${Buffer.from(version.body).toString().slice(0, -1)},"_deleted":true}`,
    )
  })
})
