/** What a thread knows of the secrets of its tenant (hub.md §20.7): their values where they are used, and how to keep them out of texts. */

export interface Secrets {
  /** The value that a name stands for; without a system only global ones count. */
  valueOf(name: string, system: string | null): string | undefined
  /** The text without any of their values. */
  mask(text: string): string
}

/** Where there are none. */
export const noSecrets: Secrets = { valueOf: () => undefined, mask: (text) => text }
