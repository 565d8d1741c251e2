/** What is retried, how often and after how long: settings of a pump, and by HTTP status of a system (hub.md §5.1, §8). */

import { Type } from 'typebox'

const Times = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }))
const Seconds = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }))

/** Those that a system may set for all pumps that use it. */
export const retryProperties = {
  max_read_retries: Times('How often a source that fails is read again, in one run; 0 when absent.'),
  read_retry_delay: Seconds('Seconds before that; 0 when absent.'),
  write_retry_delay: Seconds('Seconds after a write that failed, before the next one; 0 when absent.'),
  max_retries_per_entity: Times('Retries of an entity before it is given up; 5 when absent.'),
  max_consecutive_write_errors: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Entities failing one after the other that end the run; 1 when absent.' }),
  ),
  max_write_errors_in_retry_dataset: Times(
    'Entities kept at most to be retried by the next runs; 0 (when absent): none, the run fails with the first.',
  ),
  batch_retries: Times('How often a batch that could not be written is tried again as a whole; 3 when absent.'),
}

export const retrySchema = Type.Object(retryProperties)
