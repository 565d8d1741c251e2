/** The whole of `examples/world`: read, merged, linked and counted, in a process of its own. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Figure, mustEqual } from './measure.ts'

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'examples/world')
const SECONDS = 180
const GIGABYTES = 2

/** One run, which is long enough to count for itself. */
export async function world(): Promise<Figure[]> {
  const { seconds, gigabytes } = await runOnce()
  const name = 'examples/world'
  return [
    { name, unit: 's', values: [seconds], target: SECONDS, isLess: true },
    { name: `${name}, anonymous memory`, unit: 'GB', values: [gigabytes], target: GIGABYTES, isLess: true },
  ]
}

interface Run {
  readonly seconds: number
  readonly gigabytes: number
}

async function runOnce(): Promise<Run> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [join(root, 'dist/main.js'), 'run', folder, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  let gigabytes = 0
  const watch = setInterval(() => {
    gigabytes = Math.max(gigabytes, anonymousGigabytes(child.pid))
  }, 100)
  const [code] = await once(child, 'close')
  clearInterval(watch)
  mustEqual('The exit code of examples/world', code, 0)
  const { pipes } = JSON.parse(printed) as { pipes: { dataset: string; entities: number }[] }
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')).all as Record<string, number>
  for (const { dataset, entities } of pipes) mustEqual(`Entities of ${dataset}`, entities, expected[dataset])
  return { seconds: (performance.now() - startedAt) / 1000, gigabytes }
}

function anonymousGigabytes(pid: number | undefined): number {
  try {
    const kilobytes = /RssAnon:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kilobytes ?? 0) / 2 ** 20
  } catch {
    return 0
  }
}
