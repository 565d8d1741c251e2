/** What all systems share (hub.md §17); the rest is up to their types. */

import { Type } from 'typebox'

export const systemSchema = Type.Object({
  _id: Type.String({ minLength: 1, description: 'Unique in the node; no slash.' }),
  type: Type.String({ pattern: '^system:' }),
  name: Type.Optional(Type.String({ description: 'Shown to people.' })),
  description: Type.Optional(Type.Unknown()),
  comment: Type.Optional(Type.Unknown()),
  metadata: Type.Optional(Type.Object({}, { description: 'Free.' })),
  worker_threads: Type.Integer({ default: 10, minimum: 1, description: 'Pipes that may use it at once.' }),
  permissions: Type.Optional(
    Type.Unknown({ description: 'Who may do what: a list of `["allow" or "deny", [roles], [permissions]]`.' }),
  ),
})

export const unsupportedOfSystem: Readonly<Record<string, string>> = {
  worker_threads: 'a limit on the pipes that use a system',
}
