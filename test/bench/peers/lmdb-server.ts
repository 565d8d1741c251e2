/** The least one can do: an HTTP server on `lmdb` that keeps entities when they changed. A floor to measure against, not a hub. */

import { hash } from 'node:crypto'
import { createServer } from 'node:http'
import { open } from 'lmdb'

const [path] = process.argv.slice(2)
const db = open({ path: path as string, keyEncoding: 'binary', encoding: 'binary' })
const log = db.openDB({ name: 'log', encoding: 'string' })
const latest = db.openDB({ name: 'latest', encoding: 'string' })
let sequence = 0

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const entities = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>[]
  let isChanged = false
  db.transactionSync(() => {
    for (const entity of entities) {
      const canonical = JSON.stringify(entity, Object.keys(entity).sort())
      const digest = hash('md5', canonical)
      const id = entity._id as string
      if ((latest.get(id) as string | undefined)?.startsWith(digest)) continue
      isChanged = true
      log.putSync(String(sequence).padStart(12, '0'), canonical)
      latest.putSync(id, `${digest} ${sequence++}`)
    }
  })
  if (isChanged) await db.flushed
  response.end('{}')
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
})
