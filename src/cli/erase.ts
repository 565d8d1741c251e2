/** `samtale erase ENTITY`: erases one entity with all its versions, where no hub runs on the data. */

import { didYouMean } from '../config/problems.ts'
import { UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { withTenant } from './open-data.ts'

export const erase: Command = async ({ given, terminal }) => {
  const id = given.positionals[0] as string
  const dataset = given.text('dataset')
  if (dataset === undefined) throw new UsageError('samtale erase needs --dataset ID.')
  return withTenant(given, terminal, { mustExist: true }, async (tenant) => {
    if (tenant.dataset(dataset) === undefined) {
      const meant = didYouMean(dataset, Object.keys(tenant.ends()))
      throw new UsageError(`there is no dataset '${dataset}'.${meant === undefined ? '' : ` ${meant}`}`)
    }
    const versions = await tenant.eraseEntity(dataset, id)
    if (given.flag('json')) terminal.line(JSON.stringify({ dataset, entity: id, versions }))
    else terminal.line(versions === 0 ? 'It was erased before.' : `Erased ${versions} of its versions.`)
    return 0
  })
}
