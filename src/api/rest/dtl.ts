/** The transformation language as data: what editors complete, check and explain programs with. */

import { jsonText } from '../answer.ts'
import { type Route, route } from '../route.ts'
import { given, LanguageShape } from './shapes.ts'

export const dtlRoute: Route = route({
  tag: 'Configuration',
  action: 'read',
  resource: 'node',
  method: 'GET',
  path: '/api/dtl',
  isNodeOnly: true,
  summary: 'The reference of DTL: variables, transforms, functions with their forms and examples, properties of hops.',
  answers: given(LanguageShape, 'What the compiler knows.'),
  handle: ({ node }) => jsonText(node.language()),
})
