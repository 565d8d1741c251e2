/** The properties of a hops spec (dtl.md §10.1): what the parser knows, and what the reference tells. */

export interface SpecProperty {
  readonly name: string
  readonly type: string
  /** As JSON; null: there is none. */
  readonly byDefault: string | null
  readonly summary: string
}

const property = (name: string, type: string, byDefault: string | null, summary: string): SpecProperty => ({
  name,
  type,
  byDefault,
  summary,
})

export const specProperties: readonly SpecProperty[] = [
  property('datasets', 'list of strings', null, 'Required. Each a dataset and its alias, such as "customer c".'),
  property(
    'where',
    'expression or list of expressions',
    null,
    'Required. Joins, each an eq of two variables that share a value, and conditions on the rows found; all must hold.',
  ),
  property(
    'return',
    'string, expression or object',
    null,
    'What each row gives: aliases, a path, an expression, or an object of them; the last alias when absent. In the last spec only.',
  ),
  property('recurse', 'boolean', 'false', 'Goes on from what it found until nothing new comes.'),
  property('exclude_root', 'boolean', 'false', 'With recurse: leaves out what it started from.'),
  property('max_depth', 'integer or null', '10', 'With recurse: levels at most; null for no limit.'),
  property(
    'track-dependencies',
    'boolean',
    'true',
    'Whether a changed entity of these datasets runs the source entities it belongs to again.',
  ),
  property('trace', 'string', null, 'Name under which the most rows found for one entity are reported.'),
  property(
    'subsets',
    'object',
    null,
    'Alias to ["eq", expression over _S, literal]: only these entities of its dataset.',
  ),
  property('prefilters', 'object', null, 'Old name of subsets.'),
]
