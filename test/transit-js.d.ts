/** What the tests use of transit-js, which has no types of its own. */

declare module 'transit-js' {
  type Handlers = Record<string, (payload: never) => unknown>

  interface Transit {
    reader(
      type: 'json',
      options?: {
        handlers?: Handlers
        mapBuilder?: unknown
        arrayBuilder?: unknown
        preferBuffers?: boolean
      },
    ): { read(text: string): unknown }
    writer(type: 'json' | 'json-verbose', options?: unknown): { write(value: unknown): string }
    keyword(name: string): unknown
    symbol(name: string): unknown
    uri(text: string): unknown
    uuid(text: string): unknown
    bigInt(digits: string): unknown
    bigDec(digits: string): unknown
    integer(digits: string): unknown
    map(entries: readonly unknown[]): unknown
    set(members: readonly unknown[]): unknown
    list(members: readonly unknown[]): unknown
    tagged(tag: string, value: unknown): unknown
  }

  const transit: Transit
  export default transit
}
