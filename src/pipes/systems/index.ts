/** The system types this version knows. */

import type { SystemType } from './contract.ts'
import { microserviceSystem } from './microservice.ts'
import { urlSystem } from './url.ts'

export const systemTypes: readonly SystemType[] = [urlSystem, microserviceSystem]
