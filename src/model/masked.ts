/** Data for people with secrets taken out of its texts; numbers stay, so that what comes of it is as well formed as before. */

import { dictOf, entries } from './dict.ts'
import { Bytes, isDict, isList, NI, URI, type Value } from './value.ts'

type Mask = (text: string) => string

/** Of plain data: messages, details, reports. */
export function masked<T>(data: T, mask: Mask): T {
  if (typeof data === 'string') return mask(data) as T
  if (Array.isArray(data)) return data.map((one) => masked(one, mask)) as T
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return data
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, masked(value, mask)])) as T
}

/** Of values of the model. */
export function maskedValue(value: Value, mask: Mask): Value {
  if (typeof value === 'string') return mask(value)
  if (value instanceof NI) return new NI(mask(value.text))
  if (value instanceof URI) return new URI(mask(value.text))
  if (value instanceof Bytes) return maskedBytes(value, mask)
  if (isList(value)) return value.map((one) => maskedValue(one, mask))
  if (isDict(value)) return dictOf(entries(value).map(([name, one]) => [mask(name), maskedValue(one, mask)] as const))
  return value
}

/** Bytes are written as base64, in which a secret is one as well. */
function maskedBytes(value: Bytes, mask: Mask): Value {
  const text = Buffer.from(value.data).toString('base64')
  const hidden = mask(text)
  return hidden === text ? value : hidden
}
