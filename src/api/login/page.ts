/** The page on which somebody logs in, and the one on which they log out: forms, and not a line of script. */

import { type Html, html, nothing, plainPage } from '../linked/page.ts'

export interface LoginView {
  /** Where to go afterwards: a path of this hub. */
  readonly next: string
  /** What went wrong before. */
  readonly problem: string | null
}

export const loginPage = ({ next, problem }: LoginView) =>
  plainPage(
    'Log in',
    html`${problem === null ? nothing : html`<p role="alert">${problem}</p>\n`}<form method="post" action="/login">
<input type="hidden" name="next" value="${next}">
<p><label>E-mail<br><input type="email" name="email" autocomplete="username" required autofocus></label></p>
<p><label>Password<br><input type="password" name="password" autocomplete="current-password" required></label></p>
<p><button>Log in</button></p>
</form>
`,
  )

export const accountPage = (name: string) =>
  plainPage(
    'Logged in',
    html`<p>You are logged in as ${name}.</p>
<form method="post" action="/logout"><p><button>Log out</button></p></form>
${links}`,
  )

const links: Html = html`<p class="note"><a href="/api/reference">The API</a>, <a href="/graphql">GraphQL</a></p>
`

/** A path of this hub, whatever was asked for. */
export function localPath(path: unknown): string {
  // Two slashes, or a backslash in the place of one, begin another host.
  return typeof path === 'string' && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(path) ? path : '/login'
}
