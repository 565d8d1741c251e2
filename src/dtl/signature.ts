/** How a function or transform is written, for hints and for the reference. */

import { formsOf } from './binding.ts'
import type { FunctionDefinition, Parameter, TransformDefinition } from './syntax.ts'

/** `["name", ARGUMENT, OPTIONAL?, REPEATED, …]` for each form. */
export const signaturesOf = (definition: FunctionDefinition | TransformDefinition): readonly string[] =>
  formsOf(definition).map((form) => `[${[`"${definition.name}"`, ...parts(form)].join(', ')}]`)

function parts(form: readonly Parameter[]): string[] {
  return form.flatMap(({ name, count }, place) => {
    if (count === '0|1') return [`${name}?`]
    const repeats = count === '>=0' || count === '>=1' || (count === '+' && form[place + 1]?.count !== '+')
    return repeats ? [name, '…'] : [name]
  })
}
