/** What a route answers: plain data, sent in one place. */

export interface Answer {
  /** 200 unless said. */
  readonly status?: number
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  /** An iterable is sent as it comes, at the pace of the reader; when it throws in the middle, the connection breaks. */
  readonly body: string | Uint8Array | AsyncIterable<string | Uint8Array>
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** JSON text that is ready to be sent. */
export const jsonText = (
  body: string | AsyncIterable<string | Uint8Array>,
  more: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Answer => ({ contentType: JSON_TYPE, body, ...more })

export const json = (value: unknown, status = 200): Answer => jsonText(JSON.stringify(value), { status })

/** A JSON array of texts. */
export const jsonArray = (texts: Iterable<string>): Answer => jsonText(`[${[...texts].join(',')}]`)

/** Pages of JSON texts as one JSON array, a page a chunk. */
export async function* jsonArrayChunks(pages: AsyncIterable<readonly string[]>): AsyncGenerator<string> {
  let lead = '['
  for await (const page of pages) {
    if (page.length === 0) continue
    yield lead + page.join(',')
    lead = ','
  }
  yield lead === '[' ? '[]' : ']'
}
