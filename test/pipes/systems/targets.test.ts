import { describe, expect, test } from 'vitest'
import { PipeError } from '../../../src/pipes/errors.ts'
import { checkTarget, guardedLookup } from '../../../src/pipes/systems/targets.ts'

const refusal = (address: string, privateTargets = true): string | undefined => {
  try {
    checkTarget(new URL(address).hostname, privateTargets)
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
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://[2002:a9fe:a9fe::1]/',
    'http://[fd00:ec2::254]/',
  ])('%s is link-local and always closed', (address) => {
    expect(refusal(address)).toBe('link-local')
  })

  test.each([
    'http://127.0.0.1/',
    'http://0.0.0.0/',
    'http://10.1.2.3/',
    'http://172.31.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://[::1]/',
    'http://[::]/',
    'http://[fd12::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://[64:ff9b::10.0.0.1]/',
  ])('%s is inner: closed where only public addresses are open', (address) => {
    expect(refusal(address)).toBeUndefined()
    expect(refusal(address, false)).toBe('private')
  })

  test.each(['http://93.184.216.34/', 'http://[2606:2800::1]/', 'http://172.32.0.1/', 'http://example.org/'])(
    '%s is open',
    (address) => {
      expect(refusal(address, false)).toBeUndefined()
    },
  )
})

describe('a name', () => {
  const resolve = (privateTargets: boolean, all: boolean) =>
    new Promise<unknown>((done) => {
      guardedLookup(privateTargets)('localhost', { all }, (error, address) => done(error ?? address))
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
})
