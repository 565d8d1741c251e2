/** Entry of the pump thread: runs pipes, takes in what receivers are sent, evaluates publishers and previews. */

import { parentPort } from 'node:worker_threads'
import { serveMethods } from './channel.ts'
import { PumpHouse } from './pump-house.ts'
import type { PumpEvent } from './pump-protocol.ts'

const port = parentPort
if (port === null) throw new Error('pump-thread is started as a worker thread')

const house = new PumpHouse((event: PumpEvent) => emit(event))
const emit = serveMethods(port, { calls: house.calls, streams: house.streams })
