/** Permissions of a tenant: its lists, who made what, and whether a pipe may do what it is about to (hub.md §24.2). */

import { entries, get, newDict } from '../../model/dict.ts'
import { parseJson } from '../../model/json.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import { Guard } from '../access/guard.ts'
import {
  ADMIN,
  type ComponentKind,
  type ComponentName,
  HUB_ITSELF,
  isGiven,
  isGivenOfNode,
  NO_LIMITS,
  type Principal,
} from '../access/permission.ts'
import { type Rule, readRules, rulesText } from '../access/rules.ts'
import type { User } from '../contract.ts'
import { withSnapshot } from '../datasets.ts'
import type { DeployedComponent, Deployment } from '../deployment.ts'
import { HubError } from '../errors.ts'
import type { TenantCore } from './core.ts'

/** In the log's meta table: lists that were put, by component. */
const LISTS = 'permissions'
/** And who made what, where it was not the hub itself. */
const CREATORS = 'creators'

/** Whoever made a component, as they were then. */
interface Creator {
  readonly user: string | null
  readonly principals: readonly string[]
}

/** What is to be stored, and taken in once it is. */
export interface Owned {
  readonly meta: readonly (readonly [string, string])[]
  adopt(): void
}

export class TenantPermissions {
  readonly guard: Guard
  readonly #core: TenantCore
  #lists: Readonly<Record<string, readonly Rule[]>> = {}
  #creators: Readonly<Record<string, Creator>> = {}
  /** Dataset → pipe; made anew with each deployment. */
  #writers: { readonly of: Deployment; readonly pipes: ReadonlyMap<string, string> } | null = null

  constructor(core: TenantCore) {
    this.#core = core
    this.guard = new Guard({
      rules: (component) => this.#rules(component),
      creator: (component) => this.#creators[placeOf(component)]?.user ?? null,
      pipeOf: (dataset) => this.#pipeOf(dataset),
      components: (kind) => this.#components(kind),
    })
  }

  /** What was stored when the hub ended. */
  restore(): void {
    const { lists, creators } = withSnapshot(this.#core, (snapshot) => ({
      lists: snapshot.meta(LISTS),
      creators: snapshot.meta(CREATORS),
    }))
    const given = lists === undefined ? newDict() : parseJson(lists, { transit: false })
    this.#lists = Object.fromEntries(
      isDict(given) ? entries(given).map(([place, list]) => [place, readRules(list).rules]) : [],
    )
    this.#creators = creators === undefined ? {} : (JSON.parse(creators) as Record<string, Creator>)
    this.guard.forget()
  }

  /** The list that was put, or with all that it inherits, as JSON text. */
  text(component: ComponentName, isEffective: boolean): string {
    this.#assertKnown(component)
    const pipe = component.kind === 'dataset' && isEffective ? this.#pipeOf(component.id) : null
    const inherited = pipe === null ? [] : this.#rules({ kind: 'pipe', id: pipe })
    return rulesText(isEffective ? [...this.#rules(component), ...inherited] : (this.#lists[placeOf(component)] ?? []))
  }

  /** Codes: bad-permissions, unknown-pipe, unknown-system, unknown-dataset. */
  async replace(component: ComponentName, given: Value): Promise<void> {
    this.#assertKnown(component)
    const { rules, findings } = readRules(given)
    const [first] = findings
    if (first !== undefined) {
      throw new HubError('bad-permissions', `${first.pointer}: ${first.message}`.replace(/^: /, ''), {
        ...(first.hint === undefined ? {} : { hint: first.hint }),
        details: { findings },
      })
    }
    const { [placeOf(component)]: _, ...others } = this.#lists
    const lists = rules.length === 0 ? others : { ...others, [placeOf(component)]: rules }
    await this.#core.writer.journal.commit({ meta: [[LISTS, listsText(lists)]], durable: true })
    this.#lists = lists
    this.guard.forget()
  }

  /** Whoever deploys must be allowed to change all that becomes another. Code: forbidden. */
  assertMayDeploy(former: Deployment, next: Deployment, user: User | null): void {
    const principal = user?.principal ?? HUB_ITSELF
    if (principal.roles.has(ADMIN) && principal.limits.ids === null) return
    const isMetadataNew = former.metadata.component.text !== next.metadata.component.text
    if (isMetadataNew && (principal.limits.ids !== null || !isGivenOfNode(principal.roles, 'develop'))) {
      throw new HubError('forbidden', 'You may not change the metadata of the node.')
    }
    for (const component of changed(former, next)) {
      if (this.guard.may(principal, 'write_config', component)) continue
      // Whoever may make things of their own makes a new one.
      if (isNew(former, component) && this.#mayMake(principal, component)) continue
      throw new HubError('forbidden', `You may not change the ${component.kind} '${component.id}'.`, {
        hint: 'Leave it as it is, or ask an administrator for the permission write_config.',
      })
    }
  }

  /** What becomes another is whose who deploys it; what goes takes its list along. To be stored with the configuration. */
  owned(former: Deployment, next: Deployment, user: User | null): Owned {
    const components = changed(former, next)
    const isThere = ({ kind, id }: ComponentName) => (kind === 'pipe' ? next.pipes.has(id) : next.systems.has(id))
    const { principal } = user ?? {}
    const creator: Creator | null =
      principal === undefined ? null : { user: principal.userId, principals: [...principal.roles].sort() }
    const creators: Record<string, Creator> = { ...this.#creators }
    const lists: Record<string, readonly Rule[]> = { ...this.#lists }
    for (const component of components) {
      const place = placeOf(component)
      if (creator === null || !isThere(component)) delete creators[place]
      else creators[place] = creator
      if (!isThere(component)) delete lists[place]
    }
    return {
      meta:
        components.length === 0
          ? []
          : [
              [LISTS, listsText(lists)],
              [CREATORS, JSON.stringify(creators)],
            ],
      adopt: () => {
        this.#lists = lists
        this.#creators = creators
        this.guard.forget()
      },
    }
  }

  /** The roles a pipe runs with: of who made it. */
  principals(component: ComponentName): readonly string[] {
    return this.#creators[placeOf(component)]?.principals ?? [ADMIN]
  }

  /** Whether a pipe may do all that it is made to do: checked whenever it is about to. Code: pipe-forbidden. */
  assertMayRun(pipe: Pipe): void {
    const creator = this.#creators[placeOf({ kind: 'pipe', id: pipe.id })]
    if (creator === undefined) return
    const roles = this.#core.options.access?.roles.expanded(creator.principals) ?? new Set(creator.principals)
    const principal: Principal = { userId: creator.user, roles, limits: NO_LIMITS }
    if (roles.has(ADMIN)) return
    const effective = this.#core.deployment.pipes.get(pipe.id)?.effective ?? newDict()
    for (const { permission, component, as } of needsOf(pipe, effective)) {
      if (this.guard.may(principal, permission, component)) continue
      throw new HubError(
        'pipe-forbidden',
        `Pipe '${pipe.id}' may not use the ${component.kind} '${component.id}' as ${as}: who made it lacks the permission ${permission}.`,
        {
          hint: `Allow ${permission} of ${component.kind} '${component.id}' to one of ${creator.principals.join(', ')}, or let somebody who has it save the pipe.`,
          details: { ...component, permission, principals: creator.principals },
        },
      )
    }
  }

  /** Whether somebody may read all that a pipe reads, as it would be. Code: forbidden. */
  assertMayRead(principal: Principal, pipe: Pipe, effective: Value): void {
    for (const { permission, component, as } of needsOf(pipe, isDict(effective) ? effective : newDict())) {
      if (permission !== 'read_data' || this.guard.may(principal, permission, component)) continue
      throw new HubError(
        'forbidden',
        `You may not read the ${component.kind} '${component.id}', the ${as} of this pipe.`,
      )
    }
  }

  #mayMake({ roles, limits }: Principal, { kind, id }: ComponentName): boolean {
    return isGiven(roles, 'write_config', kind, true) && (limits.ids === null || limits.ids.includes(id))
  }

  #rules(component: ComponentName): readonly Rule[] {
    const { pipes, systems } = this.#core.deployment
    const { kind, id } = component
    const deployed: DeployedComponent | undefined =
      kind === 'pipe' ? pipes.get(id) : kind === 'system' ? systems.get(id) : undefined
    const configured = deployed === undefined ? undefined : get(deployed.effective, 'permissions')
    const own = this.#lists[placeOf(component)] ?? []
    return configured == null ? own : [...own, ...readRules(configured).rules]
  }

  #pipeOf(dataset: string): string | null {
    const { deployment } = this.#core
    if (this.#writers?.of !== deployment) this.#writers = { of: deployment, pipes: writersOf(deployment) }
    const writer = this.#writers.pipes.get(dataset)
    if (writer !== undefined) return writer
    const [, pipe] = /^system:[^:]+:(.+)$/s.exec(dataset) ?? []
    return pipe !== undefined && deployment.pipes.has(pipe) ? pipe : null
  }

  #components(kind: ComponentKind): Iterable<string> {
    const { pipes, systems } = this.#core.deployment
    if (kind === 'pipe') return pipes.keys()
    if (kind === 'system') return systems.keys()
    return withSnapshot(this.#core, (snapshot) =>
      snapshot.datasets().flatMap(({ id }) => (id.startsWith('system:') ? [] : [id])),
    )
  }

  #assertKnown({ kind, id }: ComponentName): void {
    const { pipes, systems } = this.#core.deployment
    const isKnown =
      kind === 'pipe'
        ? pipes.has(id)
        : kind === 'system'
          ? systems.has(id)
          : withSnapshot(this.#core, (snapshot) => snapshot.dataset(id) !== undefined)
    if (!isKnown) throw new HubError(`unknown-${kind}`, `There is no ${kind} '${id}'.`)
  }
}

const placeOf = ({ kind, id }: ComponentName): string => `${kind}:${id}`

const listsText = (lists: Readonly<Record<string, readonly Rule[]>>): string =>
  `{${Object.entries(lists)
    .map(([place, rules]) => `${JSON.stringify(place)}:${rulesText(rules)}`)
    .join(',')}}`

/** Pipes and systems that came, went, or are not what they were. */
function changed(former: Deployment, next: Deployment): readonly ComponentName[] {
  const of = (
    kind: 'pipe' | 'system',
    was: ReadonlyMap<string, DeployedComponent>,
    is: ReadonlyMap<string, DeployedComponent>,
  ) =>
    [...new Set([...was.keys(), ...is.keys()])]
      .filter((id) => was.get(id)?.component.text !== is.get(id)?.component.text)
      .map((id) => ({ kind, id }))
  return [...of('pipe', former.pipes, next.pipes), ...of('system', former.systems, next.systems)]
}

const isNew = ({ pipes, systems }: Deployment, { kind, id }: ComponentName): boolean =>
  kind === 'pipe' ? !pipes.has(id) : !systems.has(id)

/** By dataset the pipe that writes it, with those of dead letters; one with errors counts too. */
function writersOf({ pipes }: Deployment): ReadonlyMap<string, string> {
  const writers = new Map<string, string>()
  for (const [id, { effective }] of pipes) {
    for (const [part, name] of [
      ['sink', 'dataset'],
      ['pump', 'dead_letter_dataset'],
    ] as const) {
      const dataset = textAt(effective, part, name)
      if (dataset !== null && !writers.has(dataset)) writers.set(dataset, id)
    }
  }
  return writers
}

interface Need {
  readonly permission: 'read_data' | 'write_data'
  readonly component: ComponentName
  /** As what, in an error. */
  readonly as: string
}

/** All that a pipe touches: what it reads, what it hops to, where it writes. */
function* needsOf(pipe: Pipe, effective: Value): Generator<Need> {
  const data = (id: string) => ({ kind: 'dataset', id }) as const
  const system = (id: string) => ({ kind: 'system', id }) as const
  for (const id of pipe.source.inputs) yield { permission: 'read_data', component: data(id), as: 'source' }
  for (const id of pipe.reads) yield { permission: 'read_data', component: data(id), as: 'target of a hops' }
  if (pipe.sink.kind === 'dataset') yield { permission: 'write_data', component: data(pipe.sink.dataset), as: 'sink' }
  if (!isDict(effective)) return
  for (const id of systemsIn(get(effective, 'source')))
    yield { permission: 'read_data', component: system(id), as: 'source' }
  for (const id of systemsIn(get(effective, 'transform'))) {
    yield { permission: 'read_data', component: system(id), as: 'system of a transform' }
  }
  for (const id of systemsIn(get(effective, 'sink')))
    yield { permission: 'write_data', component: system(id), as: 'sink' }
}

/** Systems that a part of a configuration names, however deep. */
function systemsIn(value: Value | undefined): readonly string[] {
  if (isList(value as Value)) return (value as readonly Value[]).flatMap(systemsIn)
  if (value === undefined || !isDict(value)) return []
  const own = get(value, 'system')
  const isNamed = typeof own === 'string' && get(value, 'type') !== 'embedded'
  return [
    ...(isNamed ? [own] : []),
    ...entries(value).flatMap(([name, inner]) => (name === 'entities' ? [] : systemsIn(inner))),
  ]
}

function textAt(effective: Value, part: string, name: string): string | null {
  const inner = isDict(effective) ? get(effective, part) : undefined
  const value = inner !== undefined && isDict(inner) ? get(inner, name) : undefined
  return typeof value === 'string' ? value : null
}
