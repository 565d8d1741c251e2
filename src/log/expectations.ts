/** Whether what the writes of a commit expect of their dataset is true: looked at before anything is written. */

import type { BatchReader } from './batch.ts'
import { NOT_THERE, type Write } from './contract.ts'
import { LogError } from './errors.ts'
import { decodeId } from './ids.ts'

/** The newest version of an id, as far as expectations go. */
export interface Head {
  /** {@link IN_THIS_COMMIT} when the commit itself would make it. */
  readonly sequence: number
  readonly hash: string
  readonly deleted: boolean
}

const IN_THIS_COMMIT = -2

export const hasExpectations = ({ secondVersions, expected }: Write): boolean =>
  secondVersions === 'refuse' || expected !== undefined

export class Expectations {
  readonly #latest: (id: Buffer) => Head | undefined
  /** What the commit would have stored by now, for it may bring an id more than once. */
  readonly #stored = new Map<string, Head>()

  /** `latest`: of the one dataset that is looked at. */
  constructor(latest: (id: Buffer) => Head | undefined) {
    this.#latest = latest
  }

  /** Throws `stale-entity` or `second-version`. All writes of a commit to the dataset, in order. */
  check(write: Write, batch: BatchReader): void {
    const { expected, secondVersions, force = false, deletesOnlyExisting = false } = write
    if (expected !== undefined && expected.length !== batch.count) {
      throw new LogError('bad-batch', 'A write expects another number of sequences than it has entities.')
    }
    batch.rewind()
    for (let place = 0; batch.next(); place++) {
      const key = batch.id.toString('latin1')
      const known = this.#stored.get(key) ?? this.#latest(batch.id)
      const { deleted, hash } = batch
      if (deleted && deletesOnlyExisting && known?.deleted !== false) continue
      if (expected !== undefined) checkExpected(write, batch, expected[place] as number, known)
      if (known !== undefined) {
        if (!force && known.hash === hash && known.deleted === deleted) continue
        if (secondVersions === 'refuse') throw secondVersion(write, batch, known)
        if (secondVersions === 'ignore') continue
      }
      this.#stored.set(key, { sequence: IN_THIS_COMMIT, hash, deleted })
    }
  }
}

function checkExpected({ dataset }: Write, batch: BatchReader, expected: number, known: Head | undefined): void {
  const current = known === undefined ? NOT_THERE : known.sequence
  if (expected === current) return
  const entity = decodeId(batch.id)
  const isNamed = Number.isInteger(expected) && expected >= 0
  const from = isNamed ? `was made from version ${expected}` : 'names no version that it was made from'
  const now =
    known === undefined
      ? 'it is not there'
      : `its latest is ${current < 0 ? 'another one of the same commit' : `version ${current}`}`
  throw new LogError('stale-entity', `Entity '${entity}' for dataset '${dataset}' ${from}, but ${now}.`, {
    details: {
      dataset,
      entity,
      expected: isNamed ? expected : null,
      current: known === undefined || current < 0 ? null : current,
    },
    hint: 'Read the latest version, make the change again, and send it with the _updated of that version.',
  })
}

function secondVersion({ dataset }: Write, batch: BatchReader, known: Head): LogError {
  const entity = decodeId(batch.id)
  const current = known.sequence < 0 ? null : known.sequence
  return new LogError(
    'second-version',
    `Entity '${entity}' has a version in dataset '${dataset}', and may have one only.`,
    {
      details: { dataset, entity, current },
      hint: 'The dataset\'s sink says prevent_multiple_versions: correct what writes it, or use "ignore" to leave such entities out.',
    },
  )
}
