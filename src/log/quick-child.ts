/** Entry of the process that looks at a log after an unclean end: `quick-child PATH`. */

import { tell } from './child.ts'
import { quickLook } from './verify/quick.ts'

await tell(quickLook(process.argv[2] as string))
process.disconnect?.()
