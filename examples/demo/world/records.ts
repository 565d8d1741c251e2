/** What the three systems hold: records in the shape of each, with what only the generator knows beside them. */

/** What a record really is, and the keys it was given, in the spelling they have when clean. */
export interface Secret {
  /** Number of the real person or organisation. */
  readonly real: number
  /** E-mail address, phone number, organisation number: whoever has the same one is the same. */
  readonly keys: readonly string[]
  /** Id of the employer's record in the same system. */
  readonly employer?: string
}

export interface SystemRecord<Fields> {
  readonly id: string
  readonly fields: Fields
  readonly secret: Secret
}

export type CrmOrganisation = {
  readonly name: string
  readonly organisation_number?: string
  readonly email?: string
  readonly address: {
    readonly street?: string
    readonly zip?: string
    readonly city?: string
    readonly country?: string
  }
}

export type CrmPerson = {
  readonly first_name?: string
  readonly last_name: string
  readonly email?: string
  readonly phone?: string
  readonly title?: string
  readonly company_id?: number
}

export type ErpOrganisation = {
  readonly Navn: string
  readonly Orgnr?: string
  readonly 'E-post'?: string
  readonly Adresse?: string
  readonly Postnr?: string
  readonly Poststed?: string
  readonly Land?: string
}

export type ErpContact = {
  readonly Fornavn?: string
  readonly Etternavn: string
  readonly 'E-post'?: string
  readonly Mobil?: string
  readonly Kundenr?: string
}

export type HrEmployer = { readonly name: string; readonly organisationNumber: string }

export type HrPerson = {
  readonly givenName: string
  readonly familyName: string
  readonly email?: string
  readonly mobile?: string
  readonly born: string
  readonly jobTitle: string
  /** Id of the employer. */
  readonly employer: string
}

/** Everything in the three systems at one moment. */
export interface World {
  readonly crm: { readonly organisation: Shelf<CrmOrganisation>; readonly person: Shelf<CrmPerson> }
  readonly erp: { readonly organisation: Shelf<ErpOrganisation>; readonly contact: Shelf<ErpContact> }
  readonly hr: { readonly employer: Shelf<HrEmployer>; readonly person: Shelf<HrPerson> }
}

/** Records of one kind in one system, by id. */
export type Shelf<Fields> = ReadonlyMap<string, SystemRecord<Fields>>
