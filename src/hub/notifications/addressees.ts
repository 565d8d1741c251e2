/** The e-mail addresses of a user, or of all who have a role in a tenant. */

/** What is looked at of an account. */
export interface Account {
  readonly id: string
  readonly email: string
  readonly roles: readonly string[]
  /** Null: all. */
  readonly tenants: readonly string[] | null
  readonly isDisabled: boolean
}

export interface Addressees {
  users(): readonly Account[]
  /** With all that they bring along. */
  expanded(roles: readonly string[]): ReadonlySet<string>
}

/** Who cannot log in is told nothing. A role may be named without the `group:` of those that are built in. */
export function addressesOf(
  { users, expanded }: Addressees,
  type: 'role' | 'user_id',
  id: string,
  tenant: string,
): readonly string[] {
  const here = users().filter(({ isDisabled, tenants }) => !isDisabled && (tenants?.includes(tenant) ?? true))
  const isMeant =
    type === 'user_id'
      ? (one: Account) => one.id === id || one.email === id
      : ({ roles }: Account) => hasRole(expanded(roles), id)
  return here.filter(isMeant).map(({ email }) => email)
}

const hasRole = (roles: ReadonlySet<string>, id: string): boolean => roles.has(id) || roles.has(`group:${id}`)
