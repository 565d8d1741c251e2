/** How what is known of a pipe's entities hangs together with datasets. */

import { isReceiver, type Pipe } from '../pipe.ts'
import { isVerbatim } from '../verbatim.ts'

/**
 * The dataset whose log tells what a pipe is sent and what it writes, which are the same: on their way no values are built
 * of its entities. Null: the pipe counts them.
 */
export const toldByLog = (pipe: Pipe): string | null =>
  isReceiver(pipe) && isVerbatim(pipe) && pipe.sink.kind === 'dataset' ? pipe.sink.dataset : null

/** Samples of the pipe may be of entities of the dataset, also by way of a hop. */
export const seesEntitiesOf = ({ source, sink, reads }: Pipe, dataset: string): boolean =>
  source.inputs.includes(dataset) || reads.includes(dataset) || (sink.kind === 'dataset' && sink.dataset === dataset)
