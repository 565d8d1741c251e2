/** Makes a system that can be opened of an effective configuration, or says everything that is wrong with it. */

import { checkComponent } from '../../config/component.ts'
import { nearest, type Problem } from '../../config/problems.ts'
import { withSecrets } from '../../config/secret-names.ts'
import { systemSchema, unsupportedOfSystem } from '../../config/system.ts'
import { copyOf, type Dict, dictOf, entries, get, has, remove } from '../../model/dict.ts'
import { PipeError } from '../errors.ts'
import { retryStrategyOf } from '../retries/strategy.ts'
import { noSecrets } from '../secrets.ts'
import type { SystemSurroundings } from './contract.ts'
import { systemTypes } from './index.ts'
import type { DeployedSystem } from './pool.ts'

/** Types the specification names and this version does not have. */
const LATER = [
  'elasticsearch',
  'kafka',
  'ldap',
  'mssql',
  'mssql-azure-dw',
  'mysql',
  'oracle',
  'oracle_tns',
  'postgresql',
  'rest',
  'smtp',
  'solr',
  'sqlserver',
  'twilio',
].map((name) => `system:${name}`)

export function buildSystem(
  id: string,
  effective: Dict,
): { readonly system: DeployedSystem; readonly problems: readonly Problem[] } {
  const none: DeployedSystem = { id, effective, retryStrategy: null, open: null }
  const name = get(effective, 'type') as string
  const type = systemTypes.find((one) => one.type === name)
  if (type === undefined) {
    const known = systemTypes.map((one) => one.type)
    const meant = nearest(name, known)
    const message = LATER.includes(name)
      ? `The system type '${name}' is not supported by this version.`
      : `Unknown system type '${name}'.`
    const hint = meant === undefined ? `Known are ${known.join(', ')}.` : `Did you mean '${meant}'?`
    return { system: none, problems: [{ level: 'error', component: id, pointer: '/type', message, hint }] }
  }
  const [common, own] = split(effective)
  const shared = checkComponent(systemSchema, common, { component: id, pointer: '', unsupported: unsupportedOfSystem })
  const checked = checkComponent(type.config, own, {
    component: id,
    pointer: '',
    ...(type.unsupported === undefined ? {} : { unsupported: type.unsupported }),
  })
  const problems: Problem[] = [...shared.problems, ...checked.problems]
  if (!hasErrors(problems)) {
    for (const finding of type.check?.(checked.value) ?? []) problems.push({ ...finding, component: id })
  }
  if (hasErrors(problems)) return { system: none, problems }
  const { retry_strategy: strategy } = checked.value as {
    readonly retry_strategy?: Parameters<typeof retryStrategyOf>[0]
  }
  const open: DeployedSystem['open'] = (surroundings) =>
    type.open(id, withSecrets(checked.value, secretOf(id, surroundings)), surroundings)
  return { system: { id, effective, retryStrategy: retryStrategyOf(strategy), open }, problems }
}

/** Looked up when the system is opened, which is at its first use: the configuration never holds the value. */
function secretOf(id: string, { secrets = noSecrets }: SystemSurroundings): (name: string) => string {
  return (name) => {
    const value = secrets.valueOf(name, id)
    if (value !== undefined) return value
    throw new PipeError('missing-secret', `System '${id}' needs the secret '${name}', which is not defined.`, {
      hint: `Set it with PUT or POST /api/systems/${id}/secrets, or for all systems with /api/secrets.`,
      details: { system: id, secret: name },
    })
  }
}

const hasErrors = (problems: readonly Problem[]): boolean => problems.some(({ level }) => level === 'error')

/** Properties that all systems share, and those of the type. */
function split(effective: Dict): readonly [Dict, Dict] {
  const shared = Object.keys(systemSchema.properties)
  const own = copyOf(effective)
  for (const name of shared) if (name !== 'type' && has(own, name)) remove(own, name)
  return [dictOf(entries(effective).filter(([name]) => shared.includes(name))), own]
}
