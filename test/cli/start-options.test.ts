import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readStartOptions } from '../../src/cli/start-options.ts'
import { deploy, openHub, temporaryFolder } from '../hub/running-hub.ts'

async function reading(text: string) {
  const path = join(await temporaryFolder(), 'options.json')
  writeFileSync(path, text)
  return readStartOptions(path)
}

describe('the options of a start', () => {
  it('hold pumps back as the node metadata would', async () => {
    expect(await reading('{"task_manager": {"disable_pump_scheduler": true}}')).toEqual({
      disablesPumps: true,
      disablesUserPipes: false,
    })
    expect(await reading('{"task_manager": {"disable_user_pipes": true, "disable_pump_scheduler": false}}')).toEqual({
      disablesPumps: false,
      disablesUserPipes: true,
    })
  })

  it('are refused when they are not understood', async () => {
    for (const text of [
      '',
      '[]',
      '{}',
      '{"task_manager": {"disable_pumps": true}}',
      '{"task_manager": {"disable_user_pipes": 1}}',
    ]) {
      await expect(reading(text), text).rejects.toThrow(/options\.json/)
    }
  })

  it('go before what the configuration says, and leave starts by hand alone', async () => {
    const { node, tenant } = await openHub({ tasks: { disablesPumps: false, disablesUserPipes: true } })
    await deploy(tenant, { _id: 'a', type: 'pipe', source: { type: 'embedded', entities: [{ _id: '1' }] } })
    node.startPumps()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { runtime } = JSON.parse(tenant.pump('a') ?? '{}')
    expect(runtime).toMatchObject({ 'next-run': null, 'last-outcome': null })
    expect(runtime['last-message']).toMatch(/task_manager/)
    expect(await tenant.runNow('a')).toMatchObject({ outcome: 'completed', changes: 1 })
  })
})
