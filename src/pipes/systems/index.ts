/** The system types this version knows. */

import type { SystemType } from './contract.ts'
import { urlSystem } from './url.ts'

export const systemTypes: readonly SystemType[] = [urlSystem]
