/** The words that people, organisations and places are named with; few enough that names repeat. */

/** Given names; where two spellings are common, both. */
export const givenNames: readonly (readonly [name: string, otherSpelling?: string])[] = [
  ['Kari'],
  ['Åse', 'Aase'],
  ['Bjørn', 'Bjoern'],
  ['Kristian', 'Christian'],
  ['Eirik', 'Erik'],
  ['Ingrid'],
  ['Katrine', 'Cathrine'],
  ['Håkon', 'Haakon'],
  ['Sofie', 'Sophie'],
  ['Tor', 'Thor'],
  ['Marit'],
  ['Øystein', 'Oystein'],
  ['Nina'],
  ['Ola'],
  ['Liv'],
  ['Mona'],
  ['Jon', 'John'],
  ['Silje'],
  ['Arne'],
  ['Hege'],
  ['Lars'],
  ['Unni'],
  ['Elisabeth', 'Elisabet'],
  ['Fredrik', 'Frederik'],
  ['Amir'],
  ['Fatima'],
  ['Agnieszka'],
  ['Anne Grete', 'Anne-Grethe'],
  ['Per Kristian', 'Per-Christian'],
  ['Siri'],
]

export const familyNames: readonly (readonly [name: string, otherSpelling?: string])[] = [
  ['Nordmann'],
  ['Hansen', 'Hanssen'],
  ['Sørensen', 'Sorensen'],
  ['Ødegård', 'Ødegaard'],
  ['Lie'],
  ['Bakke'],
  ['Haugen'],
  ['Myhre', 'Myre'],
  ['Aas', 'Ås'],
  ['Solberg'],
  ['Moen'],
  ['Strand'],
  ['Dahl', 'Dal'],
  ['Iversen'],
  ['Nguyen'],
  ['Kowalska'],
  ['Ahmed'],
  ['Lund'],
  ['Eide'],
  ['Vik', 'Wiik'],
  ['Gundersen'],
  ['Kristoffersen', 'Christoffersen'],
  ['Bjerke'],
  ['Tangen'],
  ['Rønning', 'Roenning'],
  ['Sæther', 'Sæter'],
  ['von Berg', 'Von Berg'],
  ["O'Neill"],
  ['Lindqvist', 'Lindkvist'],
  ['Jørgensen', 'Jorgensen'],
]

export const firstWords: readonly string[] = [
  'Nordlys',
  'Fjord',
  'Bjørk',
  'Havn',
  'Granitt',
  'Solvik',
  'Tinden',
  'Elvebakken',
  'Kystlinjen',
  'Skogheim',
  'Lysaker',
  'Polar',
  'Vinje',
  'Aurora',
  'Brekke',
  'Storm',
  'Myrvang',
  'Krystall',
  'Sjøgata',
  'Ravn',
  'Heimdal',
  'Furuset',
  'Tråkk',
  'Østerdal',
]

/** What they do, and how their e-mail domain says it. */
export const trades: readonly (readonly [name: string, domain: string])[] = [
  ['Bygg', 'bygg'],
  ['Data', 'data'],
  ['Regnskap', 'regnskap'],
  ['Transport', 'transport'],
  ['Rørlegger', 'ror'],
  ['Eiendom', 'eiendom'],
  ['Sjømat', 'sjomat'],
  ['Elektro', 'elektro'],
  ['Rådgivning', 'raad'],
  ['Landbruk', 'landbruk'],
  ['Design', 'design'],
  ['Helse', 'helse'],
  ['Hotell', 'hotell'],
  ['Verksted', 'verksted'],
]

export interface Land {
  readonly code: string
  /** Company forms written behind the name. */
  readonly forms: readonly string[]
  readonly towns: readonly (readonly [postalCode: string, town: string])[]
  /** As people type it; the first is the usual one. */
  readonly names: readonly string[]
}

export const lands: readonly Land[] = [
  {
    code: 'NO',
    forms: ['AS', 'ASA', 'ANS'],
    towns: [
      ['0150', 'Oslo'],
      ['5003', 'Bergen'],
      ['7010', 'Trondheim'],
      ['9008', 'Tromsø'],
      ['4006', 'Stavanger'],
      ['8006', 'Bodø'],
      ['6002', 'Ålesund'],
    ],
    names: ['Norge', 'Norway', 'NO', 'norge', 'NORWAY ', 'Noreg'],
  },
  {
    code: 'SE',
    forms: ['AB'],
    towns: [
      ['111 20', 'Stockholm'],
      ['411 03', 'Göteborg'],
      ['211 20', 'Malmö'],
    ],
    names: ['Sverige', 'Sweden', 'SE', ' sweden'],
  },
  {
    code: 'DK',
    forms: ['A/S', 'ApS'],
    towns: [
      ['1050', 'København'],
      ['8000', 'Aarhus'],
    ],
    names: ['Danmark', 'Denmark', 'DK', 'DENMARK'],
  },
]

export const streets: readonly string[] = [
  'Storgata',
  'Kirkegata',
  'Havnegata',
  'Industriveien',
  'Skolegata',
  'Fjordveien',
  'Torget',
  'Bryggen',
]

export const positions: readonly string[] = [
  'Daglig leder',
  'Økonomisjef',
  'Utvikler',
  'Prosjektleder',
  'Selger',
  'Innkjøper',
  'Lagerleder',
  'Controller',
  'Fagarbeider',
  'Konsulent',
]
