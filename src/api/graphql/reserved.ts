/** Names in the GraphQL schema that are the hub's own. */

/** Fields that each entity has, and what may stand beside them. */
export const RESERVED_FIELDS: ReadonlySet<string> = new Set([
  '_id',
  '_iri',
  '_dataset',
  '_pipe',
  '_updated',
  '_previous',
  '_ts',
  '_hash',
  '_json',
  '_history',
  // Connectives of the filters, which have the fields' names.
  'and',
  'or',
  'not',
])

export const RESERVED_TYPES: ReadonlySet<string> = new Set([
  'Query',
  'Mutation',
  'Subscription',
  'Entity',
  'PageInfo',
  'DatasetInfo',
  'ID',
  'Int',
  'Integer',
  'Decimal',
  'Date',
  'DateTime',
  'Float',
  'String',
  'Boolean',
  'JSON',
  'IDFilter',
  'IntegerFilter',
  'DecimalFilter',
  'DateFilter',
  'DateTimeFilter',
  'FloatFilter',
  'StringFilter',
  'BooleanFilter',
  'JSONFilter',
])
