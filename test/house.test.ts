/** Reads the table of rooms and every import, and names what leans the wrong way. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'

interface Room {
  readonly floor: number
  readonly leansOn: ReadonlySet<string>
}

/** Rooms by name: the rows of a table whose first cell is a floor. */
function roomsOf(readme: string): Map<string, Room> {
  const rooms = new Map<string, Room>()
  for (const line of readme.split('\n')) {
    const [, floor, room, , leansOn] = line.split('|').map((cell) => cell.trim())
    const name = /^`([a-z]+)`$/.exec(room ?? '')?.[1]
    if (name === undefined || !/^\d+$/.test(floor ?? '')) continue
    const names = (leansOn ?? '').split(',').map((one) => one.trim())
    rooms.set(name, { floor: Number(floor), leansOn: new Set(names.filter((one) => /^[a-z]+$/.test(one))) })
  }
  return rooms
}

/** Static, type-only, side-effect and dynamic imports, re-exports, and threads started by a relative address. */
const IMPORTS = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
  /\b(?:new URL|startThread|runChild(?:<[^>]*>)?)\s*\(\s*(?:import\.meta\.url\s*,\s*)?['"](\.[^'"]+\.[cm]?[jt]s)['"]/g,
]

interface Arrow {
  readonly from: string
  readonly to: string
  readonly file: string
  readonly imported: string
}

function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return IMPORTS.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] as string))
}

/** All arrows between rooms; a file directly in the folder belongs to the room `main`. */
function arrowsIn(source: string): Arrow[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => /\.[cm]?tsx?$/.test(file))
  return files.flatMap((file) => {
    const path = join(source, file)
    return importsOf(readFileSync(path, 'utf8'))
      .filter((imported) => imported.startsWith('.') && !imported.endsWith('/package.json'))
      .map((imported) => ({
        from: roomOf(file),
        to: roomOf(relative(source, resolve(dirname(path), imported))),
        file: file.split(sep).join('/'),
        imported,
      }))
      .filter(({ from, to }) => from !== to)
  })
}

const DOOR = 'main'

function roomOf(file: string): string {
  const [first, ...rest] = file.split(sep)
  if (first === '..') return '..'
  return rest.length === 0 ? DOOR : (first as string)
}

/** One line for each thing that is wrong; nothing when all is well. */
function complaints(source: string): string[] {
  const rooms = roomsOf(readFileSync(join(source, 'README.md'), 'utf8'))
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const arrows = arrowsIn(source)
  return [
    ...folders.filter(({ name }) => !rooms.has(name)).map(({ name }) => `room '${name}' is not in the table of rooms`),
    ...[...rooms].flatMap(([name, room]) =>
      [...room.leansOn]
        .filter((other) => (rooms.get(other)?.floor ?? Number.POSITIVE_INFINITY) >= room.floor)
        .map((other) => `the table lets '${name}' lean on '${other}', which is not below it`),
    ),
    ...arrows.flatMap((arrow) => climbing(arrow, rooms)),
    ...cyclesOf(arrows).map((cycle) => `rooms in a circle: ${cycle.join(' → ')}`),
  ]
}

function climbing({ from, to, file, imported }: Arrow, rooms: ReadonlyMap<string, Room>): string[] {
  if (to === '..') return [`${file} imports ${imported}, which is outside of the house`]
  // The door may use every room; no room may use the door.
  if (from === DOOR) return []
  if (rooms.get(from)?.leansOn.has(to) === true) return []
  return [`${file} imports ${imported}: '${from}' does not lean on '${to}'`]
}

function cyclesOf(arrows: readonly Arrow[]): string[][] {
  const next = new Map<string, Set<string>>()
  for (const { from, to } of arrows) next.set(from, (next.get(from) ?? new Set()).add(to))
  const cycles = new Map<string, string[]>()
  const visit = (room: string, path: readonly string[]): void => {
    const at = path.indexOf(room)
    if (at >= 0) {
      const circle = path.slice(at)
      const least = circle.indexOf([...circle].sort()[0] as string)
      const turned = [...circle.slice(least), ...circle.slice(0, least)]
      cycles.set(turned.join(' '), [...turned, turned[0] as string])
      return
    }
    for (const other of next.get(room) ?? []) visit(other, [...path, room])
  }
  for (const room of next.keys()) visit(room, [])
  return [...cycles.values()]
}

const source = fileURLToPath(new URL('../src', import.meta.url))

describe('the house', () => {
  test('has no arrow that climbs, no circle and no room that is not in the table', () => {
    expect(complaints(source)).toEqual([])
  })

  test('has rooms on every floor of the table, and arrows between them', () => {
    const rooms = roomsOf(readFileSync(join(source, 'README.md'), 'utf8'))
    expect([...rooms.keys()]).toEqual(
      expect.arrayContaining(['model', 'log', 'dtl', 'merge', 'pipes', 'graph', 'hub', 'api']),
    )
    expect(arrowsIn(source).length).toBeGreaterThan(20)
  })
})

describe('a made-up house', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  })

  const TABLE = [
    '| Floor | Room | What it is | Leans on |',
    '| --- | --- | --- | --- |',
    '| 0 | `cellar` | below | – |',
    '| 1 | `hall` | between | cellar |',
    '| 2 | `attic` | above | cellar, hall |',
  ].join('\n')

  function build(files: Readonly<Record<string, string>>): string {
    const folder = mkdtempSync(join(tmpdir(), 'house-'))
    folders.push(folder)
    for (const [file, text] of Object.entries({ 'README.md': TABLE, ...files })) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), text)
    }
    return folder
  }

  test('is fine when every arrow goes down', () => {
    const folder = build({
      'cellar/wine.ts': "import { readFileSync } from 'node:fs'\nimport './barrel.ts'\n",
      'hall/door.ts': "import { wine } from '../cellar/wine.ts'\n",
      'attic/box.ts': "import type { Door } from '../hall/door.ts'\nexport * from '../cellar/wine.ts'\n",
      'main.ts': "import { box } from './attic/box.ts'\n",
    })
    expect(complaints(folder)).toEqual([])
  })

  test.each([
    ['a static import', "import { door } from '../hall/door.ts'"],
    ['an import over several lines', "import {\n  door,\n} from '../hall/door.ts'"],
    ['a type-only import', "import type { Door } from '../hall/door.ts'"],
    ['an import for its effect', "import '../hall/door.ts'"],
    ['a re-export', "export { door } from '../hall/door.ts'"],
    ['a dynamic import', "const door = await import('../hall/door.ts')"],
    ['a type written as an import', "let door: import('../hall/door.ts').Door"],
    ['a thread', "startThread(import.meta.url, '../hall/door.ts')"],
  ])('names the arrow that climbs: %s', (_, text) => {
    expect(complaints(build({ 'cellar/wine.ts': text }))).toEqual([
      "cellar/wine.ts imports ../hall/door.ts: 'cellar' does not lean on 'hall'",
    ])
  })

  test('does not take a comment for an import', () => {
    const text = "/** import { door } from '../hall/door.ts' */\n// import '../hall/door.ts'\n"
    expect(complaints(build({ 'cellar/wine.ts': text }))).toEqual([])
  })

  test('names a circle, a room that is not in the table, and what is outside', () => {
    const folder = build({
      'cellar/wine.ts': "import { box } from '../attic/box.ts'\n",
      'attic/box.ts': "import { wine } from '../cellar/wine.ts'\n",
      'shed/tool.ts': "import { wine } from '../cellar/wine.ts'\n",
      'hall/door.ts': "import { street } from '../../street.ts'\nimport { main } from '../main.ts'\n",
    })
    expect(complaints(folder).sort()).toEqual(
      [
        "room 'shed' is not in the table of rooms",
        "cellar/wine.ts imports ../attic/box.ts: 'cellar' does not lean on 'attic'",
        'hall/door.ts imports ../../street.ts, which is outside of the house',
        "hall/door.ts imports ../main.ts: 'hall' does not lean on 'main'",
        "shed/tool.ts imports ../cellar/wine.ts: 'shed' does not lean on 'cellar'",
        'rooms in a circle: attic → cellar → attic',
      ].sort(),
    )
  })

  test('names a table that contradicts itself', () => {
    const folder = build({ 'README.md': `${TABLE}\n| 0 | \`pit\` | wrong | hall |\n` })
    expect(complaints(folder)).toEqual(["the table lets 'pit' lean on 'hall', which is not below it"])
  })
})
