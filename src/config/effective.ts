/** The configuration as it takes effect: environment variables, conditional parts and defaults filled in; secrets left as they are. */

import { copyOf, type Dict, dictOf, entries, get, has, newDict, remove, set } from '../model/dict.ts'
import { writeJson } from '../model/json.ts'
import { equals } from '../model/order.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import type { Component } from './files.ts'
import { didYouMean, type Problem, pointerStep } from './problems.ts'
import { secretPlaces, WHERE_SECRETS_STAND } from './secret-names.ts'

export interface Effective {
  readonly value: Dict
  readonly problems: readonly Problem[]
  /** Variables that it uses, and what they stood for; undefined: they were not defined. */
  readonly variables: ReadonlyMap<string, Value | undefined>
}

/** The password of the mail server that notifications go through. */
const MAIL_PASSWORD = '/notifications/smtp/smtp_password'

/** Resolves one component (hub.md §20.5, §20.6, §14.6); a pipe gets its default sink and pump. */
export function effectiveComponent(component: Component, env: Dict): Effective {
  const resolver = new Resolver(component, env)
  const value = resolver.component(component.original)
  const { problems, variables } = resolver
  return { value: component.type === 'pipe' ? withDefaults(component.id, value) : value, problems, variables }
}

/** Without a sink a pipe writes the dataset of its own name (hub.md §3.1). */
function withDefaults(id: string, pipe: Dict): Dict {
  const effective = copyOf(pipe)
  const sink = get(pipe, 'sink')
  if (
    sink === undefined ||
    (isDict(sink) && ['dataset', undefined].includes(get(sink, 'type') as string | undefined))
  ) {
    const complete = dictOf({ type: 'dataset', dataset: id })
    if (isDict(sink)) for (const [name, value] of entries(sink)) set(complete, name, value)
    set(effective, 'sink', complete)
  }
  if (!has(effective, 'pump')) set(effective, 'pump', newDict())
  return effective
}

const VARIABLE = /\$ENV\(([^()]*)\)/g
const DEFINE = 'Define it in env.json beside the configuration, as SAMTALE_ENV_<name>, or with PUT /api/env.'
const CONDITIONAL = '$conditional_properties'
const CONDITIONAL_PARTS = new Set(['source', 'sink', 'transform', 'transforms'])
/** What is decided before anybody knows a secret. */
const DECISIVE = /^\/_id$|^\/type$|\/condition$/
const TRANSFORMS = new Set(['transform', 'transforms'])

/**
 * Where conditional properties are resolved, where they are a mistake, and where the name means nothing. A program says
 * itself where a secret may stand in it.
 */
type Ground = 'settings' | 'transform' | 'data' | 'program'

class Resolver {
  readonly problems: Problem[] = []
  readonly variables = new Map<string, Value | undefined>()
  readonly #component: Component
  readonly #env: Dict

  constructor(component: Component, env: Dict) {
    this.#component = component
    this.#env = env
  }

  component(original: Dict): Dict {
    const resolved = this.#dict(original, '', 'settings')
    // What a component is, no condition decides (hub.md §20.6).
    for (const name of ['_id', 'type']) {
      const given = get(original, name)
      if (given !== undefined && !equals(get(resolved, name) ?? null, given)) {
        this.#report(`/${name}`, `'${name}' can come neither from a variable nor from conditional properties.`)
        set(resolved, name, given)
      }
    }
    return resolved
  }

  #value(value: Value, pointer: string, ground: Ground, name = ''): Value {
    const isData = ground === 'data' || ground === 'program'
    if (name === 'comment' && !isData) return value
    if (typeof value === 'string') return this.#text(value, pointer, ground)
    if (isList(value)) {
      // A transform that is commented out may name what is gone.
      if (isData && value[0] === 'comment') return value
      return value.map((element, place) => this.#value(element, pointer + pointerStep(place), ground, name))
    }
    if (!isDict(value)) return value
    if (isData) return this.#dict(value, pointer, ground)
    const type = this.#typeOf(value)
    if (CONDITIONAL_PARTS.has(name) && type === 'conditional') return this.#alternative(value, pointer, name)
    if (name === 'source' && type === 'embedded') return this.#embedded(value, pointer)
    return this.#dict(value, pointer, TRANSFORMS.has(name) ? 'transform' : ground)
  }

  #typeOf(part: Dict): Value {
    const type = get(part, 'type') ?? null
    // A mistake in it is reported when the part itself is resolved.
    if (typeof type !== 'string') return type
    const resolver = new Resolver(this.#component, this.#env)
    const text = resolver.#text(type, '')
    for (const [name, value] of resolver.variables) this.variables.set(name, value)
    return text
  }

  /** Data in the configuration is data: nothing in it is expanded (hub.md §14.5). */
  #embedded(source: Dict, pointer: string): Dict {
    const entities = get(source, 'entities')
    const rest = copyOf(source)
    remove(rest, 'entities')
    const resolved = this.#dict(rest, pointer, 'settings')
    if (entities !== undefined) set(resolved, 'entities', entities)
    return resolved
  }

  #dict(dict: Dict, pointer: string, ground: Ground): Dict {
    const resolved = newDict()
    for (const [name, value] of entries(dict)) {
      if (name === CONDITIONAL && ground === 'settings') continue
      if (name === CONDITIONAL && ground === 'transform') {
        const hint = 'Make the transform one of type "conditional".'
        this.#report(pointer + pointerStep(name), 'Conditional properties cannot stand inside a transform.', hint)
      }
      // Rules are a program: what it says is its own, but for the variables.
      const within = name === 'rules' && get(dict, 'type') === 'dtl' ? 'program' : 'data'
      const inner = ground === 'transform' && !CONDITIONAL_PARTS.has(name) ? within : ground
      set(resolved, name, this.#value(value, pointer + pointerStep(name), inner, name))
    }
    const conditional = ground === 'settings' ? get(dict, CONDITIONAL) : undefined
    const chosen = conditional === undefined ? null : this.#choose(conditional, pointer + pointerStep(CONDITIONAL))
    // The chosen properties replace those of the same name; nothing is merged deeper (hub.md §20.6).
    if (chosen !== null) {
      for (const [name, value] of entries(this.#dict(chosen.value, chosen.pointer, ground))) set(resolved, name, value)
    }
    return resolved
  }

  /** A conditional component is replaced by the alternative its condition names. */
  #alternative(conditional: Dict, pointer: string, name: string): Value {
    const chosen = this.#choose(conditional, pointer)
    return chosen === null ? conditional : this.#value(chosen.value, chosen.pointer, 'settings', name)
  }

  #choose(conditional: Value, pointer: string): { readonly value: Dict; readonly pointer: string } | null {
    const alternatives = isDict(conditional) ? get(conditional, 'alternatives') : undefined
    const condition = isDict(conditional) ? get(conditional, 'condition') : undefined
    if (!isDict(alternatives) || condition === undefined) {
      this.#report(pointer, "A conditional part needs 'condition' and 'alternatives'.")
      return null
    }
    const resolved = typeof condition === 'string' ? this.#text(condition, `${pointer}/condition`) : condition
    const key = typeof resolved === 'string' ? resolved : writeJson(resolved)
    const chosen = get(alternatives, key)
    if (isDict(chosen)) return { value: chosen, pointer: `${pointer}/alternatives${pointerStep(key)}` }
    const known = entries(alternatives).map(([name]) => name)
    this.#report(
      `${pointer}/condition`,
      `The condition is '${key}', which is none of the alternatives: ${known.join(', ')}.`,
    )
    return null
  }

  #text(text: string, pointer: string, ground: Ground = 'settings'): Value {
    const expanded = this.#expanded(text, pointer)
    if (ground !== 'program') this.#refuseSecrets(expanded, pointer)
    return expanded
  }

  #expanded(text: string, pointer: string): Value {
    if (!text.includes('$ENV(')) return text
    const whole = /^\$ENV\(([^()]*)\)$/.exec(text)
    if (whole !== null) return this.#variable(whole[1] as string, pointer)
    return text.replace(VARIABLE, (_, name: string) => {
      const value = this.#variable(name, pointer)
      return typeof value === 'string' ? value : writeJson(value, { transit: false })
    })
  }

  /** A system may use secrets anywhere but in what it is, and the node for its mail server; nothing else may. A variable may bring them. */
  #refuseSecrets(value: Value, pointer: string): void {
    const { type } = this.#component
    if (type.startsWith('system:') && !DECISIVE.test(pointer)) return
    if (type === 'metadata' && pointer === MAIL_PASSWORD) return
    for (const { name } of secretPlaces(value)) {
      this.#report(pointer, `The secret '${name}' cannot stand here.`, WHERE_SECRETS_STAND)
    }
  }

  #variable(name: string, pointer: string): Value {
    const value = get(this.#env, name)
    this.variables.set(name, value)
    if (value !== undefined) return value
    const known = entries(this.#env).map(([one]) => one)
    this.#report(pointer, `The environment variable '${name}' is not defined.`, didYouMean(name, known) ?? DEFINE)
    return null
  }

  #report(pointer: string, message: string, hint?: string): void {
    const { id, file } = this.#component
    this.problems.push({
      level: 'error',
      component: id,
      pointer,
      message,
      ...(file === undefined ? {} : { file }),
      ...(hint === undefined ? {} : { hint }),
    })
  }
}
