/** Keeps secrets out of messages: in addresses by their place, elsewhere by their text. */

import { formsOf } from '../secret-forms.ts'

/** A function that takes the given secrets out of any text, in whatever encoding they stand there. */
export function masking(secrets: Iterable<string>): (text: string) => string {
  const known = new Set<string>()
  for (const secret of secrets) {
    // Shorter ones would blot out ordinary words, and protect nothing.
    if (secret.length < LEAST) continue
    for (const form of formsOf(secret)) if (form.length >= LEAST) known.add(form)
  }
  if (known.size === 0) return (text) => text
  // Of two that begin at one place the longer one is hidden.
  const longestFirst = [...known].sort((a, b) => b.length - a.length)
  const pattern = new RegExp(longestFirst.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g')
  return (text) => text.replace(pattern, '***')
}

const LEAST = 4

/** The address as text, without user, password and the values of parameters that look like keys. */
export function maskAddress(address: URL): string {
  const masked = new URL(address)
  if (masked.username !== '' || masked.password !== '') {
    masked.username = '***'
    masked.password = ''
  }
  masked.search = masked.search.replace(/([?&])([^=&]*)=([^&]*)/g, (whole, mark: string, name: string) =>
    isSecretName(name) ? `${mark}${name}=***` : whole,
  )
  return masked.href
}

/** Whether what stands under this name (a header, a parameter) is likely to be a secret. */
export const isSecretName = (name: string): boolean =>
  /auth|token|secret|passw|pwd|api.?key|(?:^|[-_.])key$|access.?key|subscription.?key|cookie|signature|^sig$|jwt|credential|^code$/i.test(
    name,
  )
