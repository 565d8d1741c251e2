/** Groups of components, each uploaded and replaced on its own (hub.md §20.4). */

import { get } from '../model/dict.ts'
import { isDict } from '../model/value.ts'
import type { Component } from './files.ts'
import { membersOf, withMember } from './members.ts'
import type { Problem } from './problems.ts'

export const DEFAULT_GROUP = 'default'
const TAG = '$config-group'

/** Node metadata is of the default group, whatever it says. */
export function groupOf({ type, original }: Pick<Component, 'type' | 'original'>): string {
  return type === 'metadata' ? DEFAULT_GROUP : (tagOf(original) ?? DEFAULT_GROUP)
}

function tagOf(original: Component['original']): string | undefined {
  const metadata = get(original, 'metadata')
  const tag = isDict(metadata) ? get(metadata, TAG) : undefined
  return typeof tag === 'string' && tag !== '' ? tag : undefined
}

/** The text of a component that belongs to the group, and says so unless that is the default one. */
export function taggedText({ text, original }: Pick<Component, 'text' | 'original'>, group: string): string {
  const tag = tagOf(original)
  if (tag === group || (tag === undefined && group === DEFAULT_GROUP)) return text
  const metadata = membersOf(text).findLast(({ name }) => name === 'metadata')
  const isObject = metadata?.text.startsWith('{') === true
  return withMember(text, 'metadata', withMember(isObject ? metadata.text : '{}', TAG, JSON.stringify(group)))
}

/** What is wrong with a component that is uploaded to a group, given the group that its id is in now. */
export function groupProblem(component: Component, group: string, present: string | undefined): Problem | null {
  const { id, type, original } = component
  if (type === 'metadata') {
    return group === DEFAULT_GROUP
      ? null
      : problem(id, '', `The node metadata belongs to the default group, not to '${group}'.`, 'Send it to /api/config.')
  }
  const tag = tagOf(original)
  if (tag !== undefined && tag !== group) {
    return problem(id, `/metadata/${TAG}`, `It says that it belongs to the group '${tag}', not to '${group}'.`, MOVE)
  }
  if (present === undefined || present === group) return null
  return problem(id, '/_id', `The id '${id}' is used in the group '${present}'.`, MOVE)
}

const MOVE = 'Send it with force=true to move it here.'

const problem = (component: string, pointer: string, message: string, hint: string): Problem => ({
  level: 'error',
  component,
  pointer,
  message,
  hint,
})
