/** What the graph holds of one version of an entity, as N-Triples text: its statements, and what is known about them. */

import type { Version } from '../log/contract.ts'
import { datetimeText } from '../model/datetime.ts'
import type { Entity } from '../model/entity.ts'
import type { Naming } from '../model/iri.ts'
import { parseStored } from '../model/json.ts'
import { Datetime } from '../model/value.ts'
import { repairedIri } from '../rdf/iri.ts'
import { objectText } from '../rdf/lines.ts'
import { identities, stateEntity, stateSameAs, subjectIri } from '../rdf/statements.ts'
import { hub, isPartOf, prov, xsd } from '../rdf/vocabulary.ts'
import type { ProjectedDataset } from './contract.ts'
import { storedLexical } from './lexical.ts'

/** A statement as `<s> <p> <o>`, exactly as the store gives it back. */
export type Statement = string

export interface EntityText {
  /** What the entity says, and `owl:sameAs` from its members. */
  readonly statements: readonly Statement[]
  /** What is known about the graph itself: it stays in the graph. */
  readonly about: readonly Statement[]
}

/** The text of versions of one dataset. */
export class EntityTexts {
  readonly #naming: Naming
  readonly #dataset: ProjectedDataset
  /** The same about every graph of the dataset. */
  readonly #origin: readonly string[]

  constructor(naming: Naming, dataset: ProjectedDataset) {
    this.#naming = naming
    this.#dataset = dataset
    this.#origin = [
      `<${isPartOf}> <${naming.datasetIri(dataset.id)}>`,
      ...(dataset.pipe === null ? [] : [`<${prov.wasGeneratedBy}> <${naming.pipeIri(dataset.pipe)}>`]),
      ...dataset.derivedFrom.map((id) => `<${prov.wasDerivedFrom}> <${naming.datasetIri(id)}>`),
    ]
  }

  graphIri(id: string): string {
    return repairedIri(this.#naming.graphIri(this.#dataset.id, id))
  }

  of(version: Version): EntityText {
    const { body, form, sequence, ts } = version
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
    const entity = parseStored(text, form) as Entity
    const statements: Statement[] = []
    const emit = (subject: string, predicate: string, object: string, datatype: string) => {
      statements.push(`<${subject}> <${predicate}> ${objectText(storedLexical(object, datatype), datatype)}`)
    }
    stateEntity(entity, this.#naming, emit)
    stateSameAs(entity, this.#naming, emit)
    const graph = `<${this.graphIri(version.id)}>`
    const about = this.#origin.map((rest) => `${graph} ${rest}`)
    const generated = datetimeText(new Datetime(BigInt(ts) * 1_000n))
    about.push(
      `${graph} <${hub.sequence}> "${sequence}"^^<${xsd.integer}>`,
      `${graph} <${prov.generatedAtTime}> "${generated}"^^<${xsd.dateTime}>`,
    )
    // A merged entity is derived from the things its members are.
    for (const id of identities(entity)) {
      const member = subjectIri(id, this.#naming)
      if (id !== version.id) about.push(`${graph} <${prov.wasDerivedFrom}> <${member}>`)
    }
    return { statements, about }
  }
}
