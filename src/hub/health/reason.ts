/** Why a hub is not well: each reason has a name that stays, what is the matter, and what whoever is called at night can do. */

export interface Reason {
  readonly code: string
  /**
   * `dead`: nothing but a restart helps. `not-ready`: requests are not answered as they should be at the moment.
   * `unwell`: all is answered, but somebody has to look at it.
   */
  readonly severity: 'dead' | 'not-ready' | 'unwell'
  readonly message: string
  readonly hint: string
  /** Null: it is the matter of the whole node. */
  readonly tenant: string | null
}

export interface Health {
  /** It goes on by itself. */
  readonly isLive: boolean
  /** It answers as it should. */
  readonly isReady: boolean
  /** Nobody has to look. */
  readonly isWell: boolean
  readonly reasons: readonly Reason[]
}

export function healthOf(reasons: readonly Reason[]): Health {
  const isLive = reasons.every(({ severity }) => severity !== 'dead')
  return {
    isLive,
    isReady: isLive && reasons.every(({ severity }) => severity !== 'not-ready'),
    isWell: reasons.length === 0,
    reasons,
  }
}
