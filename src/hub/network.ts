/** The network policy of a node as it is kept: one file beside the node's identity, whole or not at all whenever the process ends. */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { NetworkPolicy, type NetworkPolicyDocument, OPEN_POLICY, readNetworkPolicy } from '../config/network-policy.ts'
import { HubError } from './errors.ts'

export class StoredNetworkPolicy {
  readonly #path: string
  #policy: NetworkPolicy

  /** `changes` go before what is stored, and are stored. Code `bad-data` when what is stored cannot be read: nobody is let in by mistake. */
  constructor(path: string, changes: Partial<NetworkPolicyDocument> = {}) {
    this.#path = path
    const stored = existsSync(path) ? storedPolicy(path) : OPEN_POLICY
    this.#policy = new NetworkPolicy({ ...stored, ...changes })
    if (Object.keys(changes).length > 0) this.#write()
  }

  get current(): NetworkPolicy {
    return this.#policy
  }

  /** In force, and on disk, when it returns. */
  replace(document: NetworkPolicyDocument): void {
    this.#policy = new NetworkPolicy(document)
    this.#write()
  }

  #write(): void {
    writeFileSync(`${this.#path}.part`, `${JSON.stringify(this.#policy.document, null, 2)}\n`, { flush: true })
    renameSync(`${this.#path}.part`, this.#path)
  }
}

function storedPolicy(path: string): NetworkPolicyDocument {
  try {
    const { policy, problems } = readNetworkPolicy(JSON.parse(readFileSync(path, 'utf8')))
    if (problems.length === 0) return policy
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new HubError('bad-data', `${path} is not what the hub wrote there.`, {
    hint: 'It says who may come in. Restore it, or give it anew: samtale serve --network-policy FILE, after removing it.',
  })
}
