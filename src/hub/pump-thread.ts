/** Entry of a pump thread: runs pipes, takes in what receivers are sent, evaluates publishers and previews. */

import { parentPort, workerData } from 'node:worker_threads'
import { Caller, serveMethods } from './channel.ts'
import { Sheet } from './pool/sheet.ts'
import { PumpHouse } from './pump-house.ts'
import type { PoolMethods, PumpEvent, PumpThreadData } from './pump-protocol.ts'
import { ownHeap, Room } from './pumping/room.ts'
import { Turns } from './pumping/turns.ts'

const port = parentPort
if (port === null) throw new Error('pump-thread is started as a worker thread')

const { sheet, pool, youngMb } = workerData as PumpThreadData
const tell = (event: PumpEvent) => emit(event)
const turns = new Turns(new Sheet(sheet), new Room(ownHeap(youngMb)), tell)
const asked = new Caller<PoolMethods>(pool)
const house = new PumpHouse({
  emit: tell,
  turns,
  pool: {
    fill: (index) => asked.call('fill', index),
    relieve: (argument) => asked.call('relieve', argument),
  },
})
const emit = serveMethods(port, { calls: house.calls, streams: house.streams }, (text) => house.mask(text))
turns.start()
