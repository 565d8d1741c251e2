/** The process in which the three simulated systems run; it ends with the one that started it. */

import { demoSeed, demoSize, generateWorld } from '../world/generate.ts'
import { startCrm } from './crm.ts'
import { startErp } from './erp.ts'
import { startHr } from './hr.ts'

export interface SystemUrls {
  readonly crm: string
  readonly erp: string
  readonly hr: string
}

/** As the first argument, in JSON. */
export interface SystemsOrder {
  /** 0: any free port. */
  readonly ports: { readonly crm: number; readonly erp: number; readonly hr: number }
  readonly seed?: number
  readonly people?: number
  readonly organisations?: number
}

const { ports, seed, ...size } = JSON.parse(process.argv[2] ?? '{}') as SystemsOrder
const world = generateWorld(seed ?? demoSeed, { ...demoSize, ...size })
const [crm, erp, hr] = await Promise.all([
  startCrm(world, ports.crm),
  startErp(world, ports.erp),
  startHr(world, ports.hr),
])

// Ctrl-C reaches all processes of a terminal; this one waits until it is told, so that the hub can end first.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit(0))
process.send?.({ crm: crm.url, erp: erp.url, hr: hr.url } satisfies SystemUrls)
