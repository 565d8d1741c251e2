import { describe, expect, test } from 'vitest'
import { PipeError } from '../../../src/pipes/errors.ts'
import { isTarget, Targets } from '../../../src/pipes/systems/targets.ts'

const refusal = (address: string, inner = true, allowed: readonly string[] = []): string | undefined => {
  try {
    new Targets({ inner, allowed }).check(new URL(address).hostname)
    return undefined
  } catch (error) {
    return (error as PipeError).details.kind as string
  }
}

describe('targets', () => {
  test.each([
    'http://169.254.169.254/',
    'http://2852039166/',
    'http://0xa9.0xfe.1.1/',
    'http://0251.0376.0251.0376/',
    'http://169.254.43518/',
    'http://169.254.169.254./',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[::169.254.169.254]/',
    'http://[::ffff:0:169.254.169.254]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://[64:ff9b:1:a9fe:a9:fe00::]/',
    'http://[2002:a9fe:a9fe::1]/',
    'http://[2001:0:4136:e378:8000:63bf:5601:5601]/',
    'http://[2001:db8::5efe:169.254.169.254]/',
    'http://[fd00:ec2::254]/',
    'http://100.100.100.200/',
    'http://168.63.129.16/',
  ])('%s is link-local and always closed', (address) => {
    expect(refusal(address)).toBe('link-local')
    expect(refusal(address, false, ['0.0.0.0/0', '::/0'])).toBe('link-local')
  })

  test.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://017700000001/',
    'http://127.0.0.1./',
    'http://0.0.0.0/',
    'http://0/',
    'http://10.1.2.3/',
    'http://172.31.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://198.18.0.1/',
    'http://[::1]/',
    'http://[::]/',
    'http://[fd12::1]/',
    'http://[fec0::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::10.0.0.1]/',
    'http://[64:ff9b:1::1]/',
    'http://[2002:7f00:1::]/',
  ])('%s is inner: closed where only public addresses are open', (address) => {
    expect(refusal(address)).toBeUndefined()
    expect(refusal(address, false)).toBe('private')
  })

  test.each([
    'http://93.184.216.34/',
    'http://[2606:2800::1]/',
    'http://172.32.0.1/',
    'http://example.org/',
    'http://[64:ff9b::93.184.216.34]/',
  ])('%s is open', (address) => {
    expect(refusal(address, false)).toBeUndefined()
  })

  test('are opened one by one, by address, range and nothing near them', () => {
    const allowed = ['10.1.0.0/16', '127.0.0.1', 'fd12::/32']
    for (const open of ['http://10.1.2.3/', 'http://127.0.0.1/', 'http://[fd12::5]/', 'http://[::ffff:10.1.2.3]/']) {
      expect(refusal(open, false, allowed), open).toBeUndefined()
    }
    for (const closed of [
      'http://10.2.0.1/',
      'http://127.0.0.2/',
      'http://[fd13::5]/',
      'http://[64:ff9b::10.1.2.3]/',
    ]) {
      expect(refusal(closed, false, allowed), closed).toBe('private')
    }
  })

  test('are named by addresses, ranges and names', () => {
    for (const text of ['10.0.0.0/8', '::1', 'erp', 'erp.example.org', '*.example.org', 'erp_1.local.']) {
      expect(isTarget(text), text).toBe(true)
    }
    for (const text of ['', 'http://erp', '10.0.0', '10.0.0.0/40', 'a b', '*', 'erp:80', '*.*.org']) {
      expect(isTarget(text), text).toBe(false)
    }
  })
})

describe('a name', () => {
  const resolve = (inner: boolean, all: boolean, allowed: readonly string[] = [], name = 'localhost') =>
    new Promise<unknown>((done) => {
      new Targets({ inner, allowed }).lookup(name, { all }, (error, address) => done(error ?? address))
    })

  test('is looked up and its addresses checked', async () => {
    expect(await resolve(true, false)).toMatch(/^(127\.0\.0\.1|::1)$/)
    expect(await resolve(true, true)).toEqual(
      expect.arrayContaining([expect.objectContaining({ family: expect.any(Number) })]),
    )
    for (const all of [true, false]) {
      const error = await resolve(false, all)
      expect(error).toBeInstanceOf(PipeError)
      expect((error as PipeError).code).toBe('target-refused')
    }
  })

  test('may lead inside when it is allowed', async () => {
    for (const allowed of [['localhost'], ['LOCALHOST.'], ['127.0.0.0/8', '::1']]) {
      expect(await resolve(false, false, allowed), allowed.join()).toMatch(/^(127\.0\.0\.1|::1)$/)
    }
    expect(await resolve(false, false, ['host', '*.localhost'])).toBeInstanceOf(PipeError)
  })
})
