/** What others push to a system: the receiving side of JSON Push, with full and incremental sequences. */

type Pushed = Readonly<Record<string, unknown>> & { readonly _id: string }

/** The request does not fit the sequence it says it belongs to. */
export class PushConflict extends Error {}

interface Sequence {
  readonly id: string
  readonly seen: Set<string>
  lastRequest: string
}

export class PushRegister {
  readonly #entities = new Map<string, Pushed>()
  #active: Sequence | null = null

  all(): readonly Pushed[] {
    return [...this.#entities.values()]
  }

  get(id: string): Pushed | undefined {
    return this.#entities.get(id)
  }

  /** Throws PushConflict. */
  push(body: unknown, parameters: URLSearchParams): void {
    const entities = (Array.isArray(body) ? body : [body]) as readonly Pushed[]
    for (const { _id: id } of entities) if (typeof id !== 'string') throw new Error('An entity has no _id.')
    const sequence = parameters.get('is_full') === 'true' ? this.#sequence(parameters) : null
    for (const entity of entities) {
      sequence?.seen.add(entity._id)
      if (entity._deleted === true) this.#entities.delete(entity._id)
      else this.#entities.set(entity._id, entity)
    }
    if (sequence === null || parameters.get('is_last') !== 'true') return
    for (const id of [...this.#entities.keys()]) if (!sequence.seen.has(id)) this.#entities.delete(id)
    this.#active = null
  }

  /** The sequence that a request of a full sync goes on with, or begins. */
  #sequence(parameters: URLSearchParams): Sequence {
    const [id, request, previous] = ['sequence_id', 'request_id', 'previous_request_id'].map((name) =>
      parameters.get(name),
    )
    if (!id || !request) throw new PushConflict('A full sync names its sequence_id and its request_id.')
    if (this.#active?.id === id) {
      if (parameters.get('is_first') === 'true') throw new PushConflict('The sequence has begun already.')
      if (previous !== this.#active.lastRequest) throw new PushConflict('A request of the sequence is missing.')
      this.#active.lastRequest = request
      return this.#active
    }
    if (previous) throw new PushConflict('The sequence is not known.')
    this.#active = { id, seen: new Set(), lastRequest: request }
    return this.#active
  }
}
