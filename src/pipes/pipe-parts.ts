/** The parts of a pipe's configuration, each looked up by its type and checked; what is wrong with any of them is noted. */

import type { Static, TObject } from 'typebox'
import { checkComponent } from '../config/component.ts'
import { nearest, type Problem } from '../config/problems.ts'
import type { DtlSettings } from '../dtl/contract.ts'
import { type Dict, dictOf, entries, get, has, newDict } from '../model/dict.ts'
import { Float, isDict, isList, type Value } from '../model/value.ts'
import type { SinkType, SourceType } from './contract.ts'
import type { Finding } from './finding.ts'
import type { PipeTransform } from './transforms/contract.ts'
import { laterTransformTypes, transformTypes } from './transforms/index.ts'

export interface PlacedTransform {
  readonly transform: PipeTransform
  readonly pointer: string
}

export interface Chosen<T> {
  readonly type: T
  readonly config: Static<TObject>
}

export class PipeParts {
  readonly problems: Problem[] = []
  readonly #id: string
  readonly #effective: Dict
  /** Of the node. */
  readonly #maxMerged: number

  constructor(id: string, effective: Dict, maxMerged: number) {
    this.#id = id
    this.#effective = effective
    this.#maxMerged = maxMerged
  }

  transforms(settings: DtlSettings): PlacedTransform[] {
    const transforms: PlacedTransform[] = []
    for (const { config, pointer } of chainOf(get(this.#effective, 'transform'), '/transform')) {
      const name = isDict(config) ? get(config, 'type') : undefined
      const type = transformTypes.find((one) => one.type === name)
      if (type === undefined) {
        this.#unknownType('transform', name, `${pointer}/type`, transformTypes, laterTransformTypes)
        continue
      }
      const { transform, problems } = type.compile(config, settings)
      for (const problem of problems) this.report({ ...problem, pointer: pointer + problem.pointer })
      if (transform !== null) transforms.push({ transform, pointer })
    }
    return transforms
  }

  component<T extends SourceType | SinkType>(
    part: 'source' | 'sink',
    types: readonly T[],
    later: readonly string[],
  ): Chosen<T> | null {
    const given = this.dict(part)
    const name = get(given, 'type')
    const type = types.find((one) => one.type === name)
    if (type === undefined) {
      this.#unknownType(part, name, `/${part}/type`, types, later)
      return null
    }
    const checked = checkComponent(type.config, this.#withNodeDefaults(type, given), {
      component: this.#id,
      pointer: `/${part}`,
      ...(type.unsupported === undefined ? {} : { unsupported: type.unsupported }),
    })
    this.problems.push(...checked.problems)
    if (checked.problems.some(({ level }) => level === 'error')) return null
    const value = checked.value as Static<TObject>
    for (const finding of type.check?.(value) ?? []) {
      this.report({ ...finding, pointer: `/${part}${finding.pointer}` })
    }
    return { type, config: value }
  }

  /** Settings of which the node says what they are where the component is silent. */
  #withNodeDefaults({ config }: SourceType | SinkType, given: Dict): Dict {
    if (!('max_merged' in config.properties) || has(given, 'max_merged')) return given
    return dictOf([...entries(given), ['max_merged', this.#maxMerged]])
  }

  #unknownType(
    part: string,
    name: Value | undefined,
    pointer: string,
    types: readonly { readonly type: string }[],
    later: readonly string[],
  ): void {
    // Why none of its alternatives stands here was said when the configuration was resolved.
    if (name === 'conditional') return
    const known = types.map(({ type }) => type)
    if (typeof name !== 'string') {
      this.report({
        level: 'error',
        pointer,
        message: `The ${part} has no type.`,
        hint: `Known are ${known.join(', ')}.`,
      })
    } else if (later.includes(name)) {
      this.report({ level: 'error', pointer, message: `The ${part} type '${name}' is not supported by this version.` })
    } else {
      const meant = nearest(name, known)
      const hint = meant === undefined ? `Known are ${known.join(', ')}.` : `Did you mean '${meant}'?`
      this.report({ level: 'error', pointer, message: `Unknown ${part} type '${name}'.`, hint })
    }
  }

  report(finding: Finding): void {
    this.problems.push({ ...finding, component: this.#id })
  }

  dict(name: string): Dict {
    const value = get(this.#effective, name)
    return isDict(value) ? value : newDict()
  }

  flag(name: string): boolean | undefined {
    const value = get(this.#effective, name)
    return typeof value === 'boolean' ? value : undefined
  }

  number(name: string): number | undefined {
    return numberOf(get(this.#effective, name))
  }
}

/** The transforms of a pipe one after the other, each with its JSON pointer: one object, a list, or `chained` (dtl.md §3.1). */
function chainOf(
  transform: Value | undefined,
  pointer: string,
): { readonly config: Value; readonly pointer: string }[] {
  if (transform === undefined || transform === null) return []
  if (isList(transform)) return transform.flatMap((one, place) => chainOf(one, `${pointer}/${place}`))
  if (isDict(transform) && get(transform, 'type') === 'chained') {
    return chainOf(get(transform, 'transforms'), `${pointer}/transforms`)
  }
  return [{ config: transform, pointer }]
}

const numberOf = (value: Value | undefined): number | undefined =>
  value instanceof Float ? value.value : typeof value === 'number' ? value : undefined
