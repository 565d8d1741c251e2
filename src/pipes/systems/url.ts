/** A system that is reached by its address: HTTP, or files of this machine. */

import { refuseErrors } from '../finding.ts'
import { defineSystem } from './contract.ts'
import { checkUrlConfig, urlConfig } from './url-config.ts'
import { UrlPort } from './url-port.ts'

/** `system:url` (hub.md §17.1). */
export const urlSystem = defineSystem({
  type: 'system:url',
  summary: 'A web server, or files of this machine.',
  config: urlConfig,
  unsupported: {
    oauth2: 'OAuth2',
    tripletex: 'Tripletex tokens',
    proxies: 'proxies',
    ignore_invalid_content_length_response_header: 'a wrong content length',
  },
  examples: [
    { type: 'system:url', url_pattern: 'https://api.example.org/v1/%s', headers: { accept: 'application/json' } },
    {
      type: 'system:url',
      url_pattern: 'https://erp.example.org/',
      authentication: 'basic',
      username: 'hub',
      password: 'secret',
    },
    { type: 'system:url', url_pattern: 'file:data/%s' },
  ],
  check: checkUrlConfig,
  open(id, config, surroundings) {
    refuseErrors(`System '${id}'`, checkUrlConfig(config))
    return new UrlPort(id, config, surroundings)
  },
})
