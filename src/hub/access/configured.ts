/** The list of permissions in the configuration of a pipe or a system: what is wrong with it. */

import type { Problem } from '../../config/problems.ts'
import { type Dict, get } from '../../model/dict.ts'
import { readRules } from './rules.ts'

export function permissionProblems(component: string, effective: Dict): readonly Problem[] {
  const given = get(effective, 'permissions')
  if (given === undefined || given === null) return []
  return readRules(given).findings.map(({ pointer, ...finding }) => ({
    level: 'error' as const,
    component,
    pointer: `/permissions${pointer}`,
    ...finding,
  }))
}
