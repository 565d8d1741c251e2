/** A rule as somebody gave it, checked: what it watches, and who is told. */

import { randomUUID } from 'node:crypto'
import { Type } from 'typebox'
import { checkComponent } from '../../config/component.ts'
import { didYouMean } from '../../config/problems.ts'
import { wildcard } from '../../dtl/wildcard.ts'
import { type Dict, get, names } from '../../model/dict.ts'
import { parseJson } from '../../model/json.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import { HubError } from '../errors.ts'
import type { RuleType } from './rule-type.ts'
import { findRuleType, ruleTypes } from './rule-types.ts'

export interface Rule {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly description: string
  /** The pipe it is about; null: those that {@link pipes} names, or the node. */
  readonly pipe_id: string | null
  /** Patterns with `*` and `?` of ids of pipes. */
  readonly pipes: readonly string[]
  readonly extra_rule_info: Readonly<Record<string, unknown>>
  readonly recipients: readonly Recipient[]
  readonly is_enabled: boolean
  /** Told at once: quiet hours, and the time in which others are gathered, do not count. */
  readonly is_urgent: boolean
  /** ISO 8601. */
  readonly created: string
}

export interface Recipient {
  readonly type: RecipientType
  /** An address, a role, a user's id, or the address that is called. */
  readonly id: string
  /** All notifications can be looked up (`portal`); those with `email` are sent as well. */
  readonly methods: readonly Method[]
  /** Of a webhook: `$SECRET(name)`, by which its calls are signed. */
  readonly secret?: string
}

export const RECIPIENT_TYPES = ['email', 'role', 'user_id', 'webhook'] as const
export type RecipientType = (typeof RECIPIENT_TYPES)[number]
export const METHODS = ['portal', 'email', 'webhook'] as const
export type Method = (typeof METHODS)[number]

export const MAX_RECIPIENTS = 50
const MAX_PATTERNS = 100

export const RuleSchema = Type.Object({
  id: Type.Optional(Type.String()),
  type: Type.String({ description: 'One of the available rule types.' }),
  name: Type.String({ minLength: 1, maxLength: 200 }),
  description: Type.String({ default: '', maxLength: 2000 }),
  pipes: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    maxItems: MAX_PATTERNS,
    description: 'Ids of pipes, with * and ?; where the path of the request names none.',
  }),
  extra_rule_info: Type.Optional(Type.Object({})),
  recipients: Type.Array(Type.Unknown(), { default: [], maxItems: MAX_RECIPIENTS }),
  is_enabled: Type.Boolean({ default: true }),
  is_urgent: Type.Boolean({ default: false, description: 'Told at once, also in quiet hours.' }),
})

/** What a rule of somebody says of itself beside that. */
const OWN = ['_id', 'pipe_id', 'created', 'notification_rule_id', 'subscription_id']

const Given = Type.Object({
  ...RuleSchema.properties,
  ...Object.fromEntries(OWN.map((name) => [name, Type.Optional(Type.Unknown())])),
})

/** Code: bad-rule, with all that is wrong with it. `former`: the rule that it takes the place of. */
export function readRule(text: string, pipe: string | null, former: Rule | null, now: number): Rule {
  const given = parseJson(text, { transit: false })
  if (!isDict(given)) throw badRule(['A rule is a JSON object.'])
  const { value, problems } = checkComponent(Given, given, { component: 'rule', pointer: '' })
  const errors = problems.filter(({ level }) => level === 'error')
  if (errors.length > 0) throw badRule(errors.map(sentence))
  const type = typeNamed(value.type)
  const ownPipe = pipe ?? pipeIn(given) ?? former?.pipe_id ?? null
  assertScope(type, ownPipe, value.pipes)
  return {
    id: former?.id ?? randomUUID(),
    type: type.type,
    name: value.name,
    description: value.description,
    pipe_id: ownPipe,
    pipes: ownPipe === null ? value.pipes : [],
    extra_rule_info: readInfo(type, get(given, 'extra_rule_info')),
    recipients: recipientsIn(get(given, 'recipients'), former),
    is_enabled: value.is_enabled,
    is_urgent: value.is_urgent,
    created: former?.created ?? new Date(now).toISOString(),
  }
}

/** Secrets are named, never told; so a rule can be shown as it is. */
export const ruleDocument = (rule: Rule): string => JSON.stringify({ _id: rule.id, ...rule })

/** Whether it is about the pipe. */
export function watches(rule: Rule): (pipe: string) => boolean {
  if (rule.pipe_id !== null) return (pipe) => pipe === rule.pipe_id
  const patterns = rule.pipes.map((pattern) => wildcard(pattern))
  return (pipe) => patterns.some((matches) => matches(pipe))
}

function typeNamed(name: string): RuleType {
  const type = findRuleType(name)
  if (type !== undefined) return type
  if (name === 'license_expiration_date') throw badRule(['A hub of your own needs no licence, so none can expire.'])
  const known = ruleTypes.map((one) => one.type)
  throw badRule([`There is no rule type '${name}'. ${didYouMean(name, known) ?? `There are ${known.join(', ')}.`}`])
}

function assertScope({ type, scope }: RuleType, pipe: string | null, pipes: readonly string[]): void {
  if (scope === 'node' && (pipe !== null || pipes.length > 0)) {
    throw badRule([
      `A rule of the type ${type} is about the hub, and names no pipe: POST it to /api/notification-rules.`,
    ])
  }
  if (scope === 'pipe' && pipe === null && pipes.length === 0) {
    throw badRule([`A rule of the type ${type} says in "pipes" which pipes it is about, such as ["*"].`])
  }
}

function readInfo({ type, info }: RuleType, given: Value | undefined): Readonly<Record<string, unknown>> {
  const dict = given === undefined ? parseJson('{}') : given
  if (!isDict(dict)) throw badRule(['/extra_rule_info is a JSON object.'])
  const unknown = names(dict).filter((name) => !Object.hasOwn(info.properties, name))
  if (unknown.length > 0) throw badRule(unknown.map((name) => unknownName(type, name, Object.keys(info.properties))))
  const { value, problems } = checkComponent(info, dict as Dict, { component: type, pointer: '/extra_rule_info' })
  if (problems.length > 0) throw badRule(problems.map(sentence))
  return value
}

/** Most likely a limit misspelt: it is not to be left out in silence. */
function unknownName(type: string, name: string, known: readonly string[]): string {
  const meant = didYouMean(name, known) ?? (known.length === 0 ? 'It takes none.' : `It takes ${known.join(', ')}.`)
  return `/extra_rule_info/${name}: a rule of the type ${type} takes no '${name}'. ${meant}`
}

function pipeIn(given: Dict): string | null {
  const pipe = get(given, 'pipe_id')
  return typeof pipe === 'string' ? pipe : null
}

function recipientsIn(given: Value | undefined, former: Rule | null): readonly Recipient[] {
  if (given === undefined) return former?.recipients ?? []
  return isList(given) ? given.map((one, place) => recipientOf(one, place)) : []
}

function recipientOf(given: Value, place: number): Recipient {
  if (typeof given === 'string') return checked({ type: typeOf(given), id: given, methods: [] }, place)
  if (!isDict(given)) throw badRule([`/recipients/${place} is a text or a JSON object.`])
  const [id, type, secret, methods] = [
    get(given, 'id'),
    get(given, 'type'),
    get(given, 'secret'),
    get(given, 'methods'),
  ]
  if (typeof id !== 'string' || id === '') throw badRule([`/recipients/${place}/id is missing.`])
  if (type !== undefined && !(RECIPIENT_TYPES as readonly unknown[]).includes(type)) {
    throw badRule([`/recipients/${place}/type is none of ${RECIPIENT_TYPES.join(', ')}.`])
  }
  if (secret !== undefined && (typeof secret !== 'string' || !/^\$SECRET\([^()]+\)$/.test(secret))) {
    throw badRule([`/recipients/${place}/secret names a secret of the node: "$SECRET(name)".`])
  }
  const list = methods === undefined ? [] : isList(methods) ? methods : [methods]
  const unknown = list.find((one) => !(METHODS as readonly unknown[]).includes(one))
  if (unknown !== undefined) throw badRule([`/recipients/${place}/methods: there is no method '${unknown}'.`])
  const recipient = { type: (type as RecipientType | undefined) ?? typeOf(id), id, methods: list as Method[] }
  return checked(secret === undefined ? recipient : { ...recipient, secret: secret as string }, place)
}

const typeOf = (id: string): RecipientType =>
  /^https?:\/\//i.test(id) ? 'webhook' : id.includes('@') ? 'email' : 'role'

/** An address that could not be written to, or would say more than one thing in a header, is refused at once. */
const EMAIL = /^[^\s@<>",;:()[\]\\]+@[^\s@<>",;:()[\]\\]+$/

function checked(recipient: Recipient, place: number): Recipient {
  const { type, id, methods } = recipient
  if (type === 'email' && !EMAIL.test(id)) throw badRule([`/recipients/${place}: '${id}' is no e-mail address.`])
  if (type === 'webhook' && !isWebAddress(id)) {
    throw badRule([`/recipients/${place}: '${id}' is no http or https address without user and password.`])
  }
  const usual: Method = type === 'webhook' ? 'webhook' : 'email'
  return { ...recipient, methods: methods.length === 0 ? [usual] : methods }
}

function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && username === '' && password === ''
}

const sentence = ({ pointer, message, hint }: { pointer: string; message: string; hint?: string }): string =>
  `${pointer === '' ? '' : `${pointer}: `}${message}${hint === undefined ? '' : ` ${hint}`}`

const badRule = (problems: readonly string[]): HubError =>
  new HubError('bad-rule', `The notification rule cannot be taken: ${problems.join(' ')}`, {
    details: { problems },
    hint: 'GET /api/available-notification-rule-types says what each type takes.',
  })
