import { describe, expect, it } from 'vitest'
import yauzl from 'yauzl'
import { openRealTenant, type RealHub } from '../real-hub.ts'

const receiver = { _id: 'person', type: 'pipe', source: { type: 'http_endpoint' } }
const publisher = (_id: string, sink: object, more: object = {}) => ({
  _id,
  type: 'pipe',
  source: { type: 'dataset', dataset: 'person' },
  sink,
  ...more,
})
const COLUMNS = ['_id', 'name', 'n', 'd', 'at', 'ok']
const PEOPLE = [
  { _id: 'a', name: 'Åse, "A"', n: 1, d: '~f1.50', at: '~t2020-02-03', ok: true },
  { _id: 'b', name: 'Bo', n: '~f12345678901234567890.1', at: '~t2020-02-03T04:05:06.123456789Z' },
  { _id: 'c', _deleted: true },
]

async function published(): Promise<RealHub> {
  const hub = await openRealTenant()
  const xmlOf = {
    type: 'dtl',
    rules: {
      default: [
        ['copy', ['list', '_id', 'n']],
        ['add', '<p>', '_S.name'],
      ],
    },
  }
  const bound = {
    type: 'dtl',
    rules: {
      default: [
        ['copy', '_id'],
        ['add', 'country', '_B.country'],
        ['add', 'tag', '_B.tag'],
        ['add', 'word', '_B.jwt'],
        ['add', 'since', '_B.since'],
      ],
    },
  }
  await hub.configure(
    receiver,
    publisher('json', { type: 'http_endpoint', filename: 'people.json' }),
    publisher('csv', { type: 'csv_endpoint', columns: COLUMNS, filename: 'folk.csv', content_disposition: 'inline' }),
    publisher('xml', { type: 'xml_endpoint', wrapper: 'people' }, { transform: xmlOf }),
    publisher('bound', { type: 'http_endpoint' }, { transform: bound }),
    {
      _id: 'embedded',
      type: 'pipe',
      source: { type: 'embedded', entities: [{ _id: 'x' }, { _id: 'y' }] },
      sink: { type: 'http_endpoint' },
    },
  )
  await hub.push('person', PEOPLE)
  return hub
}

const text = async (hub: RealHub, path: string, headers: Record<string, string> = {}) =>
  (await hub.fetch(path, { headers })).text()

describe('publishers', () => {
  it('give JSON as the dataset has it, CSV, XML and spreadsheets, under the names that are asked for', async () => {
    const hub = await published()
    expect(await text(hub, '/publishers/json/entities')).toBe(await text(hub, '/datasets/person/entities'))
    const csv = await hub.fetch('/publishers/csv/csv')
    expect(await csv.text()).toBe(
      '_id,name,n,d,at,ok\r\na,"Åse, ""A""",1,1.50,2020-02-03,true\r\nb,Bo,12345678901234567890.1,,2020-02-03T04:05:06.123456789Z,\r\n',
    )
    expect(csv.headers.get('content-disposition')).toBe('inline; filename="folk.csv"')
    const xml = await hub.fetch('/publishers/xml/xml/folk.xml')
    expect(await xml.text()).toBe('<people><p n="1">Åse, "A"</p><p n="12345678901234567890.1">Bo</p></people>')
    expect(xml.headers.get('content-type')).toBe('application/xml; charset=utf-8')
    expect(xml.headers.get('content-disposition')).toBe('attachment; filename="folk.xml"')
    expect(xml.headers.get('x-dataset-filtered')).toBe('true')

    // Spreadsheets of the same rows, and of where they are.
    const answer = await hub.fetch('/publishers/csv/excel/folk.xlsx')
    expect(answer.headers.get('content-type')).toBe('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')
    expect(answer.headers.get('content-disposition')).toBe('inline; filename="folk.xlsx"')
    const files = await unzipped(Buffer.from(await answer.arrayBuffer()))
    const sheet = files.get('xl/worksheets/sheet1.xml') ?? ''
    expect(sheet.match(/<row /g)).toHaveLength(3)
    expect(sheet).toMatch(/<v>1\.5<\/v>/)
    // 2020-02-03 in days since 1900.
    expect(sheet).toMatch(/<v>43864<\/v>/)
    expect([...files.values()].join('')).toContain('12345678901234567890.1')
    const linked = await hub.fetch('/publishers/csv/csv?linked_excel_file=true&country=NO&since=0')
    expect(linked.headers.get('content-disposition')).toBe('attachment; filename="csv.xlsx"')
    const link = (await unzipped(Buffer.from(await linked.arrayBuffer()))).get('xl/worksheets/sheet1.xml')
    expect(link).toContain(
      `<f>HYPERLINK("${hub.url}/t/${hub.tenant.name}/api/publishers/csv/csv?country=NO&amp;since=0")</f>`,
    )

    // What office programs ask before.
    for (const path of ['csv/csv', 'csv/csv/a.csv', 'csv/excel', 'xml/xml', 'xml/xml/a.xml']) {
      const answer = await hub.fetch(`/publishers/${path}`, { method: 'OPTIONS' })
      expect([path, answer.status, answer.headers.get('allow')]).toEqual([path, 200, 'GET, HEAD, OPTIONS'])
    }
    expect((await hub.fetch('/publishers/xml/csv', { method: 'OPTIONS' })).status).toBe(404)
    for (const path of ['json/csv', 'csv/entities', 'csv/xml', 'xml/excel', 'nobody/xml']) {
      expect([path, (await hub.fetch(`/publishers/${path}`)).status]).toEqual([path, 404])
    }
  })

  it('hand what they do not know to the program, read on after a place where there is one, and may be disabled', async () => {
    const hub = await published()
    const answer = await hub.fetch('/publishers/bound/entities?limit=1&country=NO&tag=a&tag=b&jwt=x')
    expect(await answer.json()).toEqual([{ _id: 'a', country: 'NO', tag: ['a', 'b'], word: null, since: null }])

    // Places to read on from.
    const ids = async (path: string) =>
      ((await (await hub.fetch(path)).json()) as { _id: string }[]).map(({ _id }) => _id)
    expect(await ids('/publishers/json/entities?since=0')).toEqual(['b', 'c'])
    expect(await ids('/publishers/json/entities?since=0&limit=1')).toEqual(['b'])
    expect(await ids('/publishers/bound/entities?since=1')).toEqual(['c'])
    expect(await ids('/publishers/embedded/entities?since=whatever')).toEqual(['x', 'y'])
    expect(await ids('/pipes/embedded/entities?since=whatever&limit=1')).toEqual(['x'])
    for (const path of [
      '/publishers/json/entities?since=x',
      '/publishers/bound/entities?since=1,2',
      '/pipes/bound/entities?since=x',
    ]) {
      expect([path, (await hub.fetch(path)).status]).toEqual([path, 400])
    }

    // What is disabled is not there for a while.
    await hub.operate('csv', 'disable')
    for (const path of ['csv', 'excel', 'csv?linked_excel_file=1']) {
      const answer = await hub.fetch(`/publishers/csv/${path}`)
      expect([path, answer.status, answer.headers.get('retry-after')]).toEqual([path, 503, '10'])
    }
    await hub.operate('csv', 'enable')
    expect((await hub.fetch('/publishers/csv/csv')).status).toBe(200)
  })
})

describe('transit+json', () => {
  const transit = { accept: 'application/transit+json' }

  it('comes from every door that gives entities, when it is liked better', async () => {
    const hub = await published()
    for (const [path, begins] of [
      ['/datasets/person/entities?limit=1', '[["^ ","_id","a",'],
      ['/datasets/person/entity?entity_id=a', '["^ ","_id","a",'],
      ['/datasets/person/entities/a', '["^ ","_id","a",'],
      ['/pipes/json/entities?stage=source&limit=1', '[["^ ","_id","a",'],
      ['/pipes/json/log', '['],
      ['/publishers/json/entities', '[["^ ","_id","a",'],
      ['/publishers/bound/entities?limit=1', '[["^ ","_id","a",'],
    ] as const) {
      const answer = await hub.fetch(path, { headers: transit })
      expect([path, answer.headers.get('content-type')]).toEqual([path, 'application/transit+json; charset=utf-8'])
      expect(answer.headers.get('vary')).toMatch(/\bAccept\b/)
      expect((await answer.text()).slice(0, begins.length)).toBe(begins)
    }
    const json = await hub.fetch('/datasets/person/entities', { headers: { accept: '*/*' } })
    expect(json.headers.get('content-type')).toMatch(/^application\/json/)

    // It goes from hub to hub without any change.
    await hub.configure(receiver, { ...receiver, _id: 'copy' })
    const sent = await text(hub, '/datasets/person/entities', transit)
    const answer = await hub.fetch('/receivers/copy/entities', {
      method: 'POST',
      body: sent,
      headers: { 'content-type': 'application/transit+json' },
    })
    expect(answer.status).toBe(200)
    const of = async (dataset: string) =>
      ((await (await hub.fetch(`/datasets/${dataset}/entities`)).json()) as Record<string, unknown>[]).map(
        ({ _id, _hash, _deleted }) => ({ _id, _hash, _deleted }),
      )
    expect(await of('copy')).toEqual(await of('person'))
    const bad = await hub.fetch('/receivers/copy/entities', {
      method: 'POST',
      body: '[["^ ","_id","^9"]]',
      headers: { 'content-type': 'application/transit+json' },
    })
    expect(bad.status).toBe(400)
    expect(await bad.json()).toMatchObject({ code: 'bad-json', message: expect.stringContaining('Not transit') })
  })
})

/** Names and texts of the files in a zip. */
function unzipped(zip: Buffer): Promise<Map<string, string>> {
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(zip, { lazyEntries: true }, (error, file) => {
      if (error) return reject(error)
      const files = new Map<string, string>()
      file.on('entry', (entry) =>
        file.openReadStream(entry, (failure, stream) => {
          if (failure) return reject(failure)
          const parts: Buffer[] = []
          stream.on('data', (part: Buffer) => parts.push(part))
          stream.on('end', () => {
            files.set(entry.fileName, Buffer.concat(parts).toString())
            file.readEntry()
          })
        }),
      )
      file.on('end', () => resolve(files))
      file.readEntry()
    })
  })
}
