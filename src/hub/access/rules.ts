/** Lists of permissions (hub.md §24.2): read from what was given, and decided. */

import { didYouMean } from '../../config/problems.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import {
  ANONYMOUS,
  type ComponentKind,
  type ComponentPermission,
  componentPermissions,
  isAdmin,
  isComponentPermission,
  isGiven,
  type Principal,
} from './permission.ts'

/** `["allow" | "deny", [roles], [permissions]]`. */
export interface Rule {
  readonly effect: 'allow' | 'deny'
  readonly roles: readonly string[]
  readonly permissions: readonly ComponentPermission[]
}

/** What is wrong with a list, and where. */
export interface RuleFinding {
  /** JSON pointer inside the list. */
  readonly pointer: string
  readonly message: string
  readonly hint?: string
}

/** All mistakes at once; with one of them there are no rules. */
export function readRules(given: Value): {
  readonly rules: readonly Rule[]
  readonly findings: readonly RuleFinding[]
} {
  if (!isList(given)) return { rules: [], findings: [{ pointer: '', message: 'Permissions are a list.', hint: SHAPE }] }
  const findings: RuleFinding[] = []
  const rules = given.flatMap((one, place) => readRule(one, `/${place}`, findings) ?? [])
  return { rules: findings.length === 0 ? rules : [], findings }
}

const SHAPE = 'Each is ["allow" or "deny", [roles], [permissions]].'

function readRule(given: Value, pointer: string, findings: RuleFinding[]): Rule | null {
  if (!isList(given) || given.length !== 3) {
    findings.push({ pointer, message: 'This is no rule.', hint: SHAPE })
    return null
  }
  const [effect, roles, permissions] = given as readonly [Value, Value, Value]
  if (effect !== 'allow' && effect !== 'deny') {
    findings.push({ pointer: `${pointer}/0`, message: 'A rule begins with "allow" or "deny".' })
    return null
  }
  if (!isTexts(roles)) {
    findings.push({ pointer: `${pointer}/1`, message: 'Roles are a list of strings.' })
    return null
  }
  if (!isTexts(permissions)) {
    findings.push({ pointer: `${pointer}/2`, message: 'Permissions are a list of strings.' })
    return null
  }
  for (const [place, permission] of (permissions as readonly string[]).entries()) {
    if (isComponentPermission(permission)) continue
    const hint = didYouMean(permission, componentPermissions) ?? `Known are ${componentPermissions.join(', ')}.`
    findings.push({ pointer: `${pointer}/2/${place}`, message: `There is no permission '${permission}'.`, hint })
  }
  return { effect, roles, permissions: permissions.filter(isComponentPermission) }
}

const isTexts = (value: Value): value is Value & readonly string[] =>
  isList(value) && !isDict(value) && value.every((one) => typeof one === 'string')

export const rulesText = (rules: readonly Rule[]): string =>
  JSON.stringify(rules.map(({ effect, roles, permissions }) => [effect, roles, permissions]))

/**
 * UNSPECIFIED in hub.md §24.2, our choice: what is denied is denied, whatever allows it; where nothing is said the role
 * table decides; nobody locks administrators out.
 */
export function isAllowed(
  principal: Principal,
  permission: ComponentPermission,
  rules: readonly Rule[],
  { kind, isOwn }: { readonly kind: ComponentKind; readonly isOwn: boolean },
): boolean {
  if (isAdmin(principal)) return true
  const { roles } = principal
  let isNamed = false
  for (const rule of rules) {
    if (!rule.permissions.includes(permission)) continue
    if (rule.effect === 'deny') {
      if (rule.roles.some((role) => roles.has(role))) return false
    } else if (!isNamed) isNamed = rule.roles.some((role) => role === ANONYMOUS || roles.has(role))
  }
  return isNamed || isGiven(roles, permission, kind, isOwn)
}
