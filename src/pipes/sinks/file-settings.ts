/** What publishers say about the file a browser makes of them (hub.md §15.3). */

import { Type } from 'typebox'

export const fileSettings = {
  filename: Type.Optional(Type.String({ minLength: 1, description: 'The name to save the answer under.' })),
  content_disposition: Type.Enum(['attachment', 'inline'], {
    default: 'attachment',
    description: 'With a filename: whether a browser saves the answer or shows it.',
  }),
}
