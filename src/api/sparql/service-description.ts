/** What a SPARQL endpoint says about itself when it is asked without a query (SPARQL 1.1 Service Description). */

import type { Answer } from '../answer.ts'
import type { Call } from '../route.ts'

const FORMATS = [
  'SPARQL_Results_JSON',
  'SPARQL_Results_XML',
  'SPARQL_Results_CSV',
  'SPARQL_Results_TSV',
  'Turtle',
  'N-Triples',
  'JSON-LD',
  'RDF_XML',
]

export function serviceDescription({ tenant }: Call): Answer {
  const { state, quads, lag } = tenant.graphStatus()
  const formats = FORMATS.map((name) => `<http://www.w3.org/ns/formats/${name}>`).join(',\n    ')
  return {
    contentType: 'text/turtle; charset=utf-8',
    body: `@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .
@prefix void: <http://rdfs.org/ns/void#> .
@prefix hub: <https://w3id.org/samtale/hub#> .

<${tenant.base}/sparql> a sd:Service ;
  sd:endpoint <${tenant.base}/sparql> ;
  sd:supportedLanguage sd:SPARQL11Query ;
  sd:resultFormat ${formats} ;
  sd:defaultDataset [
    a sd:Dataset ;
    sd:defaultGraph [ a sd:Graph ; void:triples ${quads} ]
  ] ;
  hub:graphState ${JSON.stringify(state)} ;
  hub:graphLag ${lag} .
`,
  }
}
