/** The configuration as it takes effect: environment variables, conditional parts and defaults filled in; secrets left as they are. */

import { copyOf, type Dict, dictOf, entries, get, has, newDict, remove, set } from '../model/dict.ts'
import { writeJson } from '../model/json.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import type { Component } from './files.ts'
import { didYouMean, type Problem, pointerStep } from './problems.ts'

export interface Effective {
  readonly value: Dict
  readonly problems: readonly Problem[]
}

/** Resolves one component (hub.md §20.5, §20.6, §14.6); a pipe gets its default sink and pump. */
export function effectiveComponent(component: Component, env: Dict): Effective {
  const resolver = new Resolver(component, env)
  const value = resolver.component(component.original)
  return { value: component.type === 'pipe' ? withDefaults(component.id, value) : value, problems: resolver.problems }
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
const CONDITIONAL = '$conditional_properties'
const CONDITIONAL_PARTS = new Set(['source', 'sink', 'transform', 'transforms'])

class Resolver {
  readonly problems: Problem[] = []
  readonly #component: Component
  readonly #env: Dict

  constructor(component: Component, env: Dict) {
    this.#component = component
    this.#env = env
  }

  component(original: Dict): Dict {
    return this.#dict(original, '', true)
  }

  #value(value: Value, pointer: string, isConditional: boolean, name = ''): Value {
    if (typeof value === 'string') return this.#text(value, pointer)
    if (isList(value)) {
      return value.map((element, place) => this.#value(element, pointer + pointerStep(place), isConditional, name))
    }
    if (!isDict(value)) return value
    if (CONDITIONAL_PARTS.has(name) && get(value, 'type') === 'conditional')
      return this.#alternative(value, pointer, name)
    // Data in the configuration is data: nothing in it is expanded (hub.md §14.5).
    if (get(value, 'type') === 'embedded') return this.#embedded(value, pointer)
    return this.#dict(value, pointer, isConditional && name !== 'rules')
  }

  #embedded(source: Dict, pointer: string): Dict {
    const data = get(source, 'entities')
    const rest = copyOf(source)
    remove(rest, 'entities')
    const resolved = this.#dict(rest, pointer, false)
    if (data !== undefined) set(resolved, 'entities', data)
    return resolved
  }

  #dict(dict: Dict, pointer: string, isConditional: boolean): Dict {
    const resolved = newDict()
    for (const [name, value] of entries(dict)) {
      if (name === CONDITIONAL && isConditional) continue
      set(resolved, name, this.#value(value, pointer + pointerStep(name), isConditional, name))
    }
    const conditional = isConditional ? get(dict, CONDITIONAL) : undefined
    if (conditional !== undefined) {
      const at = pointer + pointerStep(CONDITIONAL)
      const chosen = this.#choose(conditional, at)
      // The chosen properties replace those of the same name; nothing is merged deeper (hub.md §20.6).
      if (chosen !== null) {
        for (const [name, value] of entries(this.#dict(chosen.value, chosen.pointer, true))) set(resolved, name, value)
      }
    }
    return resolved
  }

  /** A conditional component is replaced by the alternative its condition names. */
  #alternative(conditional: Dict, pointer: string, name: string): Value {
    const chosen = this.#choose(conditional, pointer)
    return chosen === null ? conditional : this.#value(chosen.value, chosen.pointer, true, name)
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

  #text(text: string, pointer: string): Value {
    if (!text.includes('$ENV(')) return text
    const whole = /^\$ENV\(([^()]*)\)$/.exec(text)
    if (whole !== null) return this.#variable(whole[1] as string, pointer)
    return text.replace(VARIABLE, (_, name: string) => {
      const value = this.#variable(name, pointer)
      return typeof value === 'string' ? value : writeJson(value, { transit: false })
    })
  }

  #variable(name: string, pointer: string): Value {
    const value = get(this.#env, name)
    if (value !== undefined) return value
    const known = entries(this.#env).map(([one]) => one)
    this.#report(pointer, `The environment variable '${name}' is not defined.`, didYouMean(name, known))
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
