import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { Access } from '../../../src/hub/access/access.ts'
import { hashOf, isPassword } from '../../../src/hub/access/password.ts'
import { AccessStore } from '../../../src/hub/access/store.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-store-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const folder = (): string => mkdtempSync(join(root, 'x-'))
const someone = (email: string, roles: readonly string[] = []) => ({
  email,
  name: null,
  roles,
  tenants: null,
  password: null,
})

it('lets only its owner read accounts and tokens', async () => {
  const data = folder()
  await new Access(data, 'n').users.add(someone('a@b.c'))
  expect(statSync(join(data, 'access.json')).mode & 0o777).toBe(0o600)
})

it('loses nothing when two write at once, and each hears of the other', async () => {
  const data = folder()
  let now = 1_000
  const [one, other] = [new Access(data, 'n', {}, () => now), new Access(data, 'n', {}, () => now)]
  expect(other.hasUsers).toBe(false)
  const adding = Array.from({ length: 10 }, (_, n) => (n % 2 ? one : other).users.add(someone(`${n}@b.c`)))
  await Promise.all(adding)
  now += 1_001
  expect(one.users.list()).toHaveLength(10)
  expect(other.users.list()).toHaveLength(10)
  await expect(one.users.add(someone('3@B.c'))).rejects.toMatchObject({ code: 'user-exists' })
})

it('goes on after a writer that died in the middle', async () => {
  const data = folder()
  const lock = join(data, 'access.json.lock')
  writeFileSync(lock, '')
  utimesSync(lock, new Date(0), new Date(0))
  await new Access(data, 'n').users.add(someone('a@b.c'))
  expect(new AccessStore(data).document.users).toHaveLength(1)
})

it('says so when the file is not what it wrote', () => {
  const data = folder()
  writeFileSync(join(data, 'access.json'), '{"users": [')
  expect(() => new AccessStore(data).document).toThrow(expect.objectContaining({ code: 'bad-data' }))
})

it('keeps passwords as scrypt, each with a salt of its own, and knows them again', async () => {
  const [one, other] = [await hashOf('correct horse'), await hashOf('correct horse')]
  expect(one).toMatch(/^scrypt\$32768\$8\$1\$/)
  expect(one).not.toBe(other)
  expect(await isPassword('correct horse', one)).toBe(true)
  expect(await isPassword('correct hors', one)).toBe(false)
  // One character spelled in two ways is one.
  expect(await isPassword('passwort-\u0041\u030A', await hashOf('passwort-\u00C5'))).toBe(true)
  expect(await isPassword('whatever it is', null)).toBe(false)
  await expect(hashOf('short')).rejects.toMatchObject({ code: 'bad-password' })
})

it('knows roles that bring others along, also in circles, and refuses those that mean nothing', async () => {
  const { roles, users } = new Access(folder(), 'node-1')
  const own = await roles.create({ name: 'editors', description: null, children: ['group:User'] })
  expect(own.id).toBe('node-1_editors')
  const outer = await roles.create({ name: 'chiefs', description: null, children: ['editors'] })
  await roles.replace(own.id, { description: null, children: ['group:User', outer.id] })
  expect([...roles.expanded(['chiefs'])].sort()).toEqual(
    ['chiefs', 'editors', 'group:User', 'node-1_chiefs', 'node-1_editors'].sort(),
  )
  await expect(users.add(someone('a@b.c', ['group:Admn']))).rejects.toMatchObject({
    code: 'bad-role',
    hint: "Did you mean 'group:Admin'?",
  })
  await expect(users.add(someone('a@b.c', ['group:Anonymous']))).rejects.toMatchObject({ code: 'bad-role' })
  await expect(roles.create({ name: 'group:Admin', description: null, children: [] })).rejects.toMatchObject({
    code: 'bad-role',
  })
})
