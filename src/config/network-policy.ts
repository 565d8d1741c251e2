/** Who may come in, by address: lists of the node and of single pipes' endpoints, and the proxies that are believed (hub.md §24.3). */

import { type Static, Type } from 'typebox'
import { fromPlain } from '../model/json.ts'
import { type Address, type AddressRange, isWithinAny, parseRange } from './address.ts'
import { checkComponent } from './component.ts'
import type { Problem } from './problems.ts'

const Ranges = (description: string) =>
  Type.Array(
    Type.Object({
      range: Type.String({
        description:
          'An address, a range by prefix (10.0.0.0/8, 2001:db8::/32), or first and last (10.0.0.5-10.0.0.9).',
      }),
      description: Type.Optional(Type.String({ description: 'For people.' })),
    }),
    { default: [], description },
  )

const lists = {
  allow: Ranges('With any here, all other addresses are refused.'),
  deny: Ranges('Refused, whatever else is said.'),
}

export const networkPolicySchema = Type.Object({
  ...lists,
  trusted_proxies: Ranges('Whom to believe when they say for whom they ask: X-Forwarded-For, Forwarded.'),
  pipes: Type.Array(
    Type.Object({
      tenant: Type.String({ default: 'default' }),
      pipe: Type.String({ minLength: 1, description: 'A receiver or a publisher.' }),
      ...lists,
    }),
    {
      default: [],
      description: 'Lists for the endpoints of single pipes. Such an allow list counts in place of the node’s.',
    },
  ),
})

/** As it is stored, with its defaults. */
export type NetworkPolicyDocument = Static<typeof networkPolicySchema>

export const OPEN_POLICY: NetworkPolicyDocument = { allow: [], deny: [], trusted_proxies: [], pipes: [] }

/** The document of a policy, a text standing for an entry without description; with all that is wrong with it. */
export function readNetworkPolicy(given: unknown): {
  readonly policy: NetworkPolicyDocument
  readonly problems: readonly Problem[]
} {
  const place = { component: 'network-policy', pointer: '' }
  const { value, problems } = checkComponent(networkPolicySchema, fromPlain(withObjects(given)), place)
  // A name that is not known would be a rule that is not kept: here that is no warning.
  const wrong = problems.map((problem) => ({ ...problem, level: 'error' as const }))
  if (wrong.length > 0) return { policy: OPEN_POLICY, problems: wrong }
  const unread = [...entriesOf(value)].filter(([, range]) => parseRange(range) === undefined)
  return {
    policy: value,
    problems: unread.map(([pointer, range]) => ({
      level: 'error' as const,
      component: 'network-policy',
      pointer,
      message: `'${range}' is no address and no range of addresses.`,
      hint: 'Write 10.1.2.3, 10.0.0.0/8, 2001:db8::/32 or 10.0.0.5-10.0.0.9; names are not resolved.',
    })),
  }
}

/** A policy made ready to be asked with each request. */
export class NetworkPolicy {
  readonly document: NetworkPolicyDocument
  readonly proxies: readonly AddressRange[]
  readonly #node: Lists
  readonly #pipes: ReadonlyMap<string, Lists>

  constructor(document: NetworkPolicyDocument) {
    this.document = document
    this.proxies = rangesOf(document.trusted_proxies)
    this.#node = listsOf(document)
    this.#pipes = new Map(document.pipes.map((one) => [pipeKey(one.tenant, one.pipe), listsOf(one)]))
  }

  /** Whether a caller may come in. `undefined`: the proxy does not say from where it is; such a caller passes no list. */
  admits(address: Address | undefined, endpoint?: { readonly tenant: string; readonly pipe: string }): boolean {
    const own = endpoint === undefined ? undefined : this.#pipes.get(pipeKey(endpoint.tenant, endpoint.pipe))
    const allow = own !== undefined && own.allow.length > 0 ? own.allow : this.#node.allow
    const deny = [...this.#node.deny, ...(own?.deny ?? [])]
    if (allow.length === 0 && deny.length === 0) return true
    if (address === undefined || isWithinAny(address, deny)) return false
    return allow.length === 0 || isWithinAny(address, allow)
  }

  isTrusted(address: Address): boolean {
    return isWithinAny(address, this.proxies)
  }
}

interface Lists {
  readonly allow: readonly AddressRange[]
  readonly deny: readonly AddressRange[]
}

type Entries = readonly { readonly range: string }[]

const listsOf = ({ allow, deny }: { readonly allow: Entries; readonly deny: Entries }): Lists => ({
  allow: rangesOf(allow),
  deny: rangesOf(deny),
})

const rangesOf = (entries: Entries): readonly AddressRange[] => entries.flatMap(({ range }) => parseRange(range) ?? [])

const pipeKey = (tenant: string, pipe: string): string => `${tenant}/${pipe}`

function* entriesOf({ pipes, ...node }: NetworkPolicyDocument): Iterable<readonly [pointer: string, range: string]> {
  for (const name of ['allow', 'deny', 'trusted_proxies'] as const) yield* entriesIn(`/${name}`, node[name])
  for (const [place, { allow, deny }] of pipes.entries()) {
    yield* entriesIn(`/pipes/${place}/allow`, allow)
    yield* entriesIn(`/pipes/${place}/deny`, deny)
  }
}

function* entriesIn(pointer: string, entries: Entries): Iterable<readonly [pointer: string, range: string]> {
  for (const [place, { range }] of entries.entries()) yield [`${pointer}/${place}/range`, range]
}

const LISTS: ReadonlySet<string> = new Set(['allow', 'deny', 'trusted_proxies'])

/** Texts in lists become entries, wherever they stand. */
function withObjects(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      if (LISTS.has(name) && Array.isArray(value))
        return [name, value.map((one) => (typeof one === 'string' ? { range: one } : one))]
      return [name, name === 'pipes' && Array.isArray(value) ? value.map(withObjects) : value]
    }),
  )
}
