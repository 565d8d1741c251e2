/** What a component type finds wrong in its own configuration, beyond what its schema can say. */

export interface Finding {
  readonly level: 'error' | 'warning'
  /** JSON pointer below the component's own object. */
  readonly pointer: string
  readonly message: string
  readonly hint?: string
}
