/** Where the doors report what went wrong inside: pino's interface, as far as it is used. */

export interface Log {
  error(details: object, message: string): void
}
