/** Makes one entity of all that are the same thing, in any number of datasets (hub.md §14.2). */

import { defineSource } from '../contract.ts'
import { mergeConfig } from './merge-config.ts'
import { checkMerge, planMerge } from './merge-plan.ts'
import { runMerge } from './merge-run.ts'

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
  check: checkMerge,
  continuation: () => ({ supportsSince: true, isSinceComparable: true, isChronological: true }),
  inputs: (config) => planMerge(config).inputs,
  populated: (config, snapshot) =>
    (config.initial_datasets ?? planMerge(config).inputs).every(
      (id) => snapshot.dataset(id)?.document.populated ?? config.ignore_non_existent_datasets,
    ),
  open: (config, surroundings) => ({
    read: (since, signal) => runMerge(planMerge(config), surroundings, since, signal),
  }),
})
