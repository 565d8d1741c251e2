/** Where the walk over an entity puts its statements. */

/** One statement: IRIs as they are; `datatype` is empty when the object is an IRI. */
export type Emit = (subject: string, predicate: string, object: string, datatype: string) => void
