/** What `samtale serve` is told of the network: who may come in, where requests may go, and what may be asked of it at most. */

import { readFileSync } from 'node:fs'
import { type LimitName, type Limits, limitNames } from '../api/limits/limits.ts'
import { parseRange } from '../config/address.ts'
import { type NetworkPolicyDocument, readNetworkPolicy } from '../config/network-policy.ts'
import { nearest } from '../config/problems.ts'
import { isTarget } from '../pipes/systems/targets.ts'
import { type Arguments, UsageError } from './arguments.ts'

/** What goes before the stored policy: a whole one of a file, or only the proxies. */
export function networkOf(given: Arguments): { network?: Partial<NetworkPolicyDocument> } {
  const path = given.text('network-policy')
  const proxies = listOf(given.text('trusted-proxies'))
  const wrong = proxies?.find((text) => parseRange(text) === undefined)
  if (wrong !== undefined)
    throw new UsageError(`--trusted-proxies: '${wrong}' is no address and no range of addresses.`)
  const network = {
    ...(path === undefined ? {} : policyIn(path)),
    ...(proxies === undefined ? {} : { trusted_proxies: proxies.map((range) => ({ range })) }),
  }
  return Object.keys(network).length === 0 ? {} : { network }
}

/** Inner addresses that are open to systems: of a hub that only this machine reaches all, else those that are named. */
export function targetsOf(
  given: Arguments,
  isLoopback: boolean,
): { targets: { inner: boolean; allowed: readonly string[] } } {
  const allowed = listOf(given.text('allow-targets')) ?? []
  const wrong = allowed.find((text) => !isTarget(text))
  if (wrong !== undefined) {
    throw new UsageError(`--allow-targets: '${wrong}' is no address, no range of addresses and no name of a machine.`)
  }
  return { targets: { inner: isLoopback, allowed } }
}

/** `connections=500,bulk-at-once=8`. */
export function limitsOf(given: Arguments): { limits: Partial<Limits> } {
  const entries = (listOf(given.text('limits')) ?? []).map((one): [LimitName, number] => {
    const [name = '', text = ''] = one.split('=').map((part) => part.trim())
    if (!isLimit(name)) {
      const meant = nearest(name, limitNames)
      throw new UsageError(
        `--limits: there is no limit '${name}'.${meant === undefined ? '' : ` Did you mean '${meant}'?`}`,
      )
    }
    if (!/^\d+(?:\.\d+)?$/.test(text) || !(Number(text) > 0)) {
      throw new UsageError(`--limits: ${name} is a number above 0, not '${text}'.`)
    }
    return [name, Number(text)]
  })
  return { limits: Object.fromEntries(entries) as Partial<Limits> }
}

const isLimit = (name: string): name is LimitName => (limitNames as readonly string[]).includes(name)

const listOf = (text: string | undefined): readonly string[] | undefined =>
  text
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')

function policyIn(path: string): NetworkPolicyDocument {
  const { policy, problems } = readNetworkPolicy(parsed(path))
  if (problems.length === 0) return policy
  const lines = problems.map(({ pointer, message, hint }) => `  ${pointer || '/'}: ${message} ${hint ?? ''}`.trimEnd())
  throw new UsageError([`${path} is not a network policy.`, ...lines].join('\n'))
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`${path} cannot be read as JSON: ${(error as Error).message}.`)
  }
}
