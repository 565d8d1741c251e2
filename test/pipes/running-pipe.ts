/** Runs of a pipe on a log of the test, without a hub around them. */

import { deploy } from '../../src/hub/deployment.ts'
import type { Journal } from '../../src/log/contract.ts'
import type { LogReader } from '../../src/log/reader.ts'
import { createNaming } from '../../src/model/iri.ts'
import { IndexCompiler } from '../../src/pipes/dataset-writer.ts'
import { silent } from '../../src/pipes/logger.ts'
import { FoundBefore } from '../../src/pipes/lookup.ts'
import type { Pipe } from '../../src/pipes/pipe.ts'
import type { RunPorts } from '../../src/pipes/run-ports.ts'
import { entity } from '../log/sample.ts'

export function pipeOf(config: Readonly<Record<string, unknown>>): Pipe {
  const { pipe, problems } = deploy([JSON.stringify({ type: 'pipe', ...config })], '{}', null).pipes.get(
    config._id as string,
  ) ?? { pipe: null, problems: [] }
  if (pipe === null) throw new Error(`not a pipe: ${JSON.stringify(problems)}`)
  return pipe
}

/** A pipe that reads from `versions`, one in a batch of `batchSize`, as a source that can be continued. */
export function chronological(
  pipe: Pipe,
  versions: readonly Readonly<Record<string, unknown>>[],
  onBatch: (at: number) => void = () => {},
): Pipe {
  return {
    ...pipe,
    source: {
      ...pipe.source,
      continuation: { supportsSince: true, isSinceComparable: true, isChronological: true },
      open: () => ({
        async *read(since) {
          for (let at = since === null ? 0 : Number(since) + 1; at < versions.length; at += pipe.batchSize) {
            onBatch(at)
            const batch = versions.slice(at, at + pipe.batchSize)
            yield { entities: batch.map(entity), offset: String(at + batch.length - 1) }
          }
        },
      }),
    },
  }
}

let uuids = 0

export function portsOf(journal: Journal, log: LogReader, more: Partial<RunPorts> = {}): RunPorts {
  return {
    journal,
    log,
    found: new FoundBefore(),
    indexes: new IndexCompiler(),
    logger: silent,
    now: Date.now,
    uuid: () => `uuid-${++uuids}`,
    naming: createNaming({ base: 'http://h' }),
    system: () => {
      throw new Error('it has no system')
    },
    assertIndex: async () => {},
    keepIndex: async () => {},
    ...more,
  }
}

/** A journal that ends with its process: after so many commits nothing it is told is stored, and nothing is answered. */
export function killedAfter(journal: Journal, commits: number): Journal {
  let left = commits
  const commit: Journal['commit'] = (commit) =>
    left-- > 0 ? journal.commit(commit) : Promise.reject(new Error('killed'))
  return new Proxy(journal, {
    get(target, name) {
      if (name === 'commit') return commit
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
