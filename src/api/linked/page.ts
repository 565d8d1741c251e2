/** The plain pages of linked data: one style, no script, nothing from elsewhere, and all text escaped. */

import { createHash } from 'node:crypto'
import { formats } from '../../rdf/formats.ts'
import type { Answer } from '../answer.ts'
import { WRITTEN } from './format.ts'

declare const markup: unique symbol
/** Text that is HTML already. */
export type Html = string & { readonly [markup]: true }

/** A template whose values are escaped, but for HTML and lists of it. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  let text = parts[0] as string
  for (const [place, value] of values.entries()) text += render(value) + parts[place + 1]
  return new Markup(text) as unknown as Html
}

class Markup {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toString(): string {
    return this.#text
  }
}

function render(value: string | number | Html | readonly Html[]): string {
  if (Array.isArray(value)) return value.map(String).join('')
  return (value as unknown) instanceof Markup ? String(value) : escapeHtml(String(value))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] as string)

/** Nothing at all, for the other branch of a condition. */
export const nothing = html``

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2733; --soft: #6b7280; --line: #e2ddd3; --paper: #fbfaf7; --accent: #7a5c2e }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --soft: #9aa1ab; --line: #3a3f47; --paper: #1b1e23; --accent: #d9b26f } }
body { margin: 0 auto; max-width: 56rem; padding: 2rem 1.25rem 4rem; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .2rem 0; overflow-wrap: anywhere }
h2 { font-size: 1.05rem; margin: 2.2rem 0 .5rem }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 2px; overflow-wrap: anywhere }
nav, .iri, .note { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere }
th { width: 30%; font-weight: 500 }
th small { display: block; color: var(--soft); font-weight: 400 }
ul { margin: 0; padding-left: 1.1rem }
td table { border-left: 2px solid var(--line); padding-left: .5rem }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .75rem }
`

export interface Page {
  readonly title: string
  /** Leads to the page as a whole: a link in front of the title. */
  readonly crumb: Html
  readonly iri: string
  readonly body: Html
  /** Path of the page, for links to its other formats. */
  readonly path: string
}

const policy = (forms: 'none' | 'self') =>
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action '${forms}'; frame-ancestors 'none'`
const POLICY = policy('none')

/** A page that is not about a thing of the data; its forms go to this hub. */
export function plainPage(
  title: string,
  body: Html,
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const page = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} · Samtale</title>
<style>${new Markup(STYLE) as unknown as Html}</style>
<main>
<h1>${title}</h1>
${body}
</main>
</html>
`
  return {
    body: String(page),
    headers: {
      'Content-Security-Policy': policy('self'),
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    },
  }
}

export function pageAnswer({ title, crumb, iri, body, path }: Page): Answer {
  const others = WRITTEN.map((name) => ({ ...formats[name], href: `${path}?format=${formats[name].endings[0]}` }))
  const page = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} · Samtale</title>
${others.map(({ mediaTypes, href }) => html`<link rel="alternate" type="${mediaTypes[0]}" href="${href}">\n`)}<style>${new Markup(STYLE) as unknown as Html}</style>
<nav>${crumb}</nav>
<main>
<h1>${title}</h1>
<p class="iri">${iri}</p>
${body}
</main>
<footer class="note">As ${others.map(({ label, href }, place) => html`${place === 0 ? '' : ', '}<a href="${href}">${label}</a>`)}</footer>
</html>
`
  return {
    contentType: 'text/html; charset=utf-8',
    headers: { 'Content-Security-Policy': POLICY, 'X-Content-Type-Options': 'nosniff', Vary: 'Accept' },
    body: String(page),
  }
}
