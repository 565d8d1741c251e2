/** Makes one entity of all that are the same thing, in any number of datasets (hub.md §14.2). */

import { defineSource } from '../contract.ts'
import { endOf } from './end-of.ts'
import { mergeConfig } from './merge-config.ts'
import { mergeBeside } from './merge-lane.ts'
import { checkMerge, planMerge } from './merge-plan.ts'
import { rereadMerge, runMerge } from './merge-run.ts'
import { arePopulated, ownContinuation } from './several-datasets.ts'

export const mergeSource = defineSource({
  type: 'merge',
  summary: 'Entities of several datasets, those that are the same made one.',
  config: mergeConfig,
  unsupported: { links: 'decisions that things are the same or different' },
  examples: [
    {
      type: 'merge',
      version: 2,
      datasets: ['crm-person crm', 'erp-person erp'],
      equality: [['eq', 'crm.email', ['lower', 'erp.mail']]],
    },
  ],
  addsNamespaces: false,
  adapts: true,
  keepsState: true,
  beside: mergeBeside,
  check: checkMerge,
  continuation: ownContinuation,
  inputs: (config) => planMerge(config).inputs,
  end: (config, snapshot) => endOf(planMerge(config).inputs, snapshot),
  populated: (config, snapshot) => arePopulated(config, planMerge(config).inputs, snapshot),
  origin(config) {
    const { inputs, merged } = planMerge(config)
    return {
      datasets: inputs.slice(0, merged),
      carries: (property) => config.strategy !== 'list' && !property.startsWith('_'),
      isPart: true,
    }
  },
  open(config, surroundings) {
    const plan = planMerge(config)
    return {
      read: (since, signal) => runMerge(plan, surroundings, since, signal),
      reread: (dataset, ids) => rereadMerge(plan, surroundings, dataset, ids),
    }
  },
})
