/** Encryption with passwords, RSA keys and OpenPGP (dtl.md §9.8). */

import {
  constants,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto'
import { dictOf, entries } from '../../model/dict.ts'
import { parseJson, writeJson } from '../../model/json.ts'
import { Bytes, Decimal, isDict, isList, type Value } from '../../model/value.ts'
import { firstOf } from '../coerce.ts'
import type { OpenPgp } from '../contract.ts'
import { DtlError } from '../errors.ts'
import type { Frame } from '../frame.ts'
import { needsPackage } from '../optional-package.ts'
import { openWith, sealWith } from '../password-seal.ts'
import type { ArgumentNode, FunctionDefinition, Parameter, Report } from '../syntax.ts'
import { type Convert, evaluateOf, example, mappingWith, one, VALUES } from './definition.ts'

const keyParameter = (name: string): Parameter => ({ ...one(name, 'string'), takesSecret: true })

const SECRET = 'a very long secret'

export const encryption: readonly FunctionDefinition[] = [
  {
    name: 'encrypt',
    behaviour: '-',
    reads: 'chance',
    parameters: [keyParameter('KEY'), VALUES],
    summary: 'Any value as encrypted bytes, with KEY as the password; whoever has the configuration can decrypt them.',
    check: ([key], report) => checkPassword(key, 'KEY', report),
    examples: [example(`["is-bytes", ["encrypt", "${SECRET}", ["list", "a", 1]]]`, 'true')],
    compile: ([key, values]) => {
      const [password, evaluate] = [evaluateOf(key), evaluateOf(values)]
      return (frame) => {
        const usable = passwordIn(password(frame), 'KEY')
        const given = evaluate(frame)
        if (given === null) return null
        const text = writeJson(tagged(given))
        frame.run.spendText(text.length * 2)
        return new Bytes(sealWith(usable, Buffer.from(text, 'utf8'), frame.run.context.now() / 1_000_000_000n))
      }
    },
  },
  mappingWith({
    name: 'decrypt',
    parameters: [keyParameter('KEY'), VALUES],
    summary: 'What `encrypt` encrypted with the same KEY, types included; all else is ignored.',
    check: ([key], report) => checkPassword(key, 'KEY', report),
    examples: [
      example(`["decrypt", "${SECRET}", ["encrypt", "${SECRET}", ["list", "a", "~:b:c", 1]]]`, '["a", "~:b:c", 1]'),
      example(`["decrypt", "another", ["encrypt", "${SECRET}", "a"]]`, 'null'),
    ],
    bind: ([key]) =>
      whenUsable(
        () => passwordIn(key as Value, 'KEY'),
        (password) => (value, frame) => (value instanceof Bytes ? decrypted(password, value, frame) : undefined),
      ),
  }),
  mappingWith({
    name: 'encrypt-pki',
    reads: 'chance',
    parameters: [keyParameter('PUBLIC_KEY'), VALUES],
    summary: 'Short strings as bytes that the owner of the private RSA key can decrypt (OAEP); PUBLIC_KEY is PEM.',
    check: ([key], report) => checkKey(key, publicKeyIn, report),
    examples: [example('["encrypt-pki", "_S.key", null]', 'null')],
    bind: ([key]) =>
      whenUsable(
        () => publicKeyIn(key as Value),
        (usable) => (value) => (typeof value === 'string' ? new Bytes(encryptedFor(usable, value)) : undefined),
      ),
  }),
  mappingWith({
    name: 'decrypt-pki',
    parameters: [keyParameter('PRIVATE_KEY'), VALUES],
    summary: 'The strings of bytes that were encrypted for a private RSA key; PRIVATE_KEY is PEM.',
    check: ([key], report) => checkKey(key, privateKeyIn, report),
    examples: [example('["decrypt-pki", "_S.key", null]', 'null')],
    bind: ([key]) =>
      whenUsable(
        () => privateKeyIn(key as Value),
        (usable) => (value, frame) => (value instanceof Bytes ? decryptedBy(usable, value, frame) : undefined),
      ),
  }),
  mappingWith({
    name: 'encrypt-pgp',
    reads: 'chance',
    parameters: [keyParameter('PUBLIC_KEY'), VALUES],
    summary: 'Strings as armoured OpenPGP messages for the owner of the key.',
    check: needsPackage('openpgp'),
    examples: [example('["encrypt-pgp", "_S.key", null]', 'null')],
    bind: ([key]) =>
      whenUsable(
        () => passwordIn(key as Value, 'PUBLIC_KEY'),
        (publicKey) => (value, frame) =>
          typeof value === 'string' ? pgpOf(frame, value.length).encrypt(publicKey, value) : undefined,
      ),
  }),
  mappingWith({
    name: 'decrypt-pgp',
    reads: 'openpgp',
    parameters: [keyParameter('PRIVATE_KEY'), keyParameter('PASSPHRASE'), VALUES],
    summary: 'The strings of OpenPGP messages; PASSPHRASE unlocks the key.',
    check: needsPackage('openpgp'),
    examples: [example('["decrypt-pgp", "_S.key", "passphrase", null]', 'null')],
    bind: ([key, phrase]) =>
      whenUsable(
        () => [passwordIn(key as Value, 'PRIVATE_KEY'), phraseIn(phrase as Value)] as const,
        ([privateKey, passphrase]) =>
          (value, frame) =>
            typeof value === 'string'
              ? (pgpOf(frame, value.length).decrypt(privateKey, passphrase, value) ?? undefined)
              : undefined,
      ),
  }),
]

/** A key that cannot be used is no matter of the values: the first of them fails the entity. */
function whenUsable<K>(keyOf: () => K, convertWith: (key: K) => Convert): Convert {
  try {
    return convertWith(keyOf())
  } catch (error) {
    return () => {
      throw error
    }
  }
}

const unusable = (message: string, hint: string, cause?: unknown): DtlError =>
  new DtlError('bad-argument', message, { hint, ...(cause === undefined ? {} : { cause }) })

function passwordIn(value: Value, name: string): string {
  const password = firstOf(value)
  if (typeof password === 'string' && password !== '') return password
  throw unusable(`${name} must be a string that is not empty.`, 'Is the property or secret there that it comes from?')
}

function phraseIn(value: Value): string {
  const phrase = firstOf(value)
  if (typeof phrase === 'string') return phrase
  throw unusable('PASSPHRASE must be a string.', 'Write an empty one for a key that is not locked.')
}

function checkPassword(node: ArgumentNode | undefined, name: string, report: Report): void {
  if (node?.kind === 'constant' && (typeof node.value !== 'string' || node.value === ''))
    report(node, `${name} must be a string that is not empty.`, 'Give the password, or where it stands.')
}

// ————— passwords

/** Decimals that came as plain numbers would come back as floats. */
function tagged(value: Value): Value {
  if (value instanceof Decimal) return value.bare ? new Decimal(value.unscaled, value.scale) : value
  if (isList(value)) return value.map(tagged)
  return isDict(value) ? dictOf(entries(value).map(([name, property]) => [name, tagged(property)] as const)) : value
}

/** What deriving a key costs, beside which all other work is little. */
const DERIVATION = 400_000

function decrypted(password: string, { data }: Bytes, { run }: Frame): Value | undefined {
  run.spendText(data.length)
  const opened = openWith(password, data, () => run.spend(DERIVATION))
  return opened === null ? undefined : parseJson(Buffer.from(opened).toString('utf8'))
}

// ————— RSA

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' } as const
/** About 1 ms for a key of 2048 bits. */
const RSA_WORK = 2_000

const publicKeyIn = (value: Value): KeyObject => rsaKey(value, 'PUBLIC_KEY', createPublicKey)
const privateKeyIn = (value: Value): KeyObject => rsaKey(value, 'PRIVATE_KEY', createPrivateKey)

/** Nothing of the key is part of the message. */
function rsaKey(value: Value, name: string, read: (pem: string) => KeyObject): KeyObject {
  const hint = 'Give an RSA key in PEM form, -----BEGIN … KEY----- and line ends included.'
  let key: KeyObject
  try {
    key = read(passwordIn(value, name))
  } catch {
    throw unusable(`${name} is no key that can be read.`, hint)
  }
  if (key.asymmetricKeyType !== 'rsa') throw unusable(`${name} is a key of another kind than RSA.`, hint)
  return key
}

function checkKey(node: ArgumentNode | undefined, read: (value: Value) => KeyObject, report: Report): void {
  if (node?.kind !== 'constant') return
  try {
    read(node.value)
  } catch (error) {
    if (!(error instanceof DtlError)) throw error
    report(node, error.message, error.hint)
  }
}

function encryptedFor(key: KeyObject, text: string): Uint8Array {
  try {
    return publicEncrypt({ key, ...OAEP }, Buffer.from(text, 'utf8'))
  } catch (cause) {
    throw unusable(
      `A string of ${Buffer.byteLength(text)} bytes is too long for this RSA key.`,
      'A key of 2048 bits takes 214 bytes. Encrypt longer texts with encrypt or encrypt-pgp.',
      cause,
    )
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decryptedBy(key: KeyObject, { data }: Bytes, { run }: Frame): string | undefined {
  run.spend(RSA_WORK)
  try {
    return utf8.decode(privateDecrypt({ key, ...OAEP }, data))
  } catch {
    return undefined
  }
}

// ————— OpenPGP

/** Some milliseconds for a message, whatever its length. */
const PGP_WORK = 20_000

function pgpOf({ run }: Frame, length: number): OpenPgp {
  run.spend(PGP_WORK)
  run.spendText(length)
  const { openPgp } = run.context
  if (openPgp !== undefined) return openPgp
  throw unusable('There is no OpenPGP where this program runs.', 'Use it in the transform of a pipe.')
}
