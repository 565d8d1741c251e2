/** Which entity an error is about: kept beside the error, since it may be thrown by whoever knows nothing of entities. */

import type { Entity } from '../model/entity.ts'

const blamed = new WeakMap<object, Entity>()

/** The first who says so knows best. */
export function blame(error: unknown, entity: Entity): void {
  if (typeof error === 'object' && error !== null && !blamed.has(error)) blamed.set(error, entity)
}

export const blamedEntity = (error: object): Entity | undefined => blamed.get(error)
