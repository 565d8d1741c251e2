/** The setting all sources share about reading nothing (hub.md §7): the engine obeys it. */

import { Type } from 'typebox'

export const ifSourceEmpty = Type.Enum(['accept', 'fail'], {
  default: 'accept',
  description: 'fail: a full run that reads nothing fails, and so deletes nothing.',
})
