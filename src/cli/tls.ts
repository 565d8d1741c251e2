/** The certificate of a hub that speaks TLS itself: from files, and from the same files again when it is told so. */

import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Server, Tls } from '../api/server.ts'
import type { Logger } from '../pipes/logger.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './arguments.ts'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

export function tlsFiles(given: Arguments): TlsFiles | null {
  const [cert, key] = [given.text('tls-cert'), given.text('tls-key')]
  if (cert === undefined && key === undefined) return null
  if (cert === undefined || key === undefined) throw new UsageError('--tls-cert and --tls-key go together.')
  return { cert, key }
}

export function readTls({ cert, key }: TlsFiles): Tls {
  const tls = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  try {
    createSecureContext(tls)
  } catch (error) {
    throw new UsageError(`${cert} and ${key} are no certificate with its key, as PEM: ${(error as Error).message}.`)
  }
  return tls
}

/** SIGHUP: certificates are renewed while the hub runs. One that is broken is not taken. Gives back how to stop listening. */
export function renewOnSignal(files: TlsFiles, server: Server, logger: Logger): () => void {
  const renew = () => {
    try {
      server.renewTls(readTls(files))
      logger.info('The certificate was read again.', { ...files })
    } catch (error) {
      logger.error(`The certificate was not read again, the former one stays: ${(error as Error).message}`)
    }
  }
  process.on('SIGHUP', renew)
  return () => process.off('SIGHUP', renew)
}
