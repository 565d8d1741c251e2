/** Puts an entity, written as XML, into one of its properties (hub.md §16.4). */

import { Type } from 'typebox'
import { copyOf, set } from '../../model/dict.ts'
import { isDeleted } from '../../model/entity.ts'
import { checkXml, xmlForm, xmlSettings } from '../xml-text.ts'
import { COPIED, PURE, plainTransform, readConfig, type TransformType } from './contract.ts'

const config = Type.Object({
  type: Type.Literal('xml'),
  'xml-property': Type.String({ minLength: 1, description: 'Where the text goes.' }),
  ...xmlSettings,
  trigger_on: Type.Optional(Type.Unknown({ description: 'Which entities it is for; the others pass.' })),
  side_effects: Type.Boolean({ default: false, description: 'It has none.' }),
  comment: Type.Optional(Type.Unknown()),
})

export const xmlTransform: TransformType = {
  type: 'xml',
  summary: 'Stores an entity as XML text in one of its properties.',
  compile(given, settings) {
    const { config: read, isMeant, problems } = readConfig(config, given, settings, checkXml)
    if (read === null) return { transform: null, problems }
    const property = read['xml-property']
    const { head, tail, element } = xmlForm(read)
    const written = {
      ...COPIED,
      by: 'xml',
      property,
      isPattern: false,
      from: [{ from: 'source' as const, dataset: null, path: '', isPattern: false }],
    }
    const lineage = [{ rule: 'default', reads: [], writes: [COPIED, written] }]
    const transform = plainTransform(PURE, lineage, (entity) => {
      if (!isMeant(entity) || (read['skip-deleted-entities'] && isDeleted(entity))) return [entity]
      const made = copyOf(entity)
      set(made, property, head + element(entity) + tail)
      return [made]
    })
    return { transform, problems }
  },
}
