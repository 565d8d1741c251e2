/** What the command line offers, as data: help texts and the check of what was typed both come from here. */

import type { ParseArgsConfig } from 'node:util'
import { limitsHelp } from './limits-help.ts'

interface Option {
  readonly type: 'string' | 'boolean'
  /** Placeholder of its value in the help text. */
  readonly value?: string
  readonly about: string
  /** Environment variable that gives the default. */
  readonly variable?: string
  readonly default?: string
}

export interface CommandUsage {
  readonly name: string
  readonly summary: string
  /** Positional arguments as the help shows them. */
  readonly positionals: readonly string[]
  readonly options: Readonly<Record<string, Option>>
  readonly details?: string
}

/** How a configuration gets its `$ENV(name)`. */
const VARIABLES = 'What $ENV(name) stands for is in DIR/env.json, or in the environment as SAMTALE_ENV_name.'

const data: Option = {
  type: 'string',
  value: 'DIR',
  about: 'folder of the hub’s data',
  variable: 'SAMTALE_DATA',
  default: './data',
}
const base: Option = {
  type: 'string',
  value: 'IRI',
  about: 'base of all identifiers; stored at first start, then fixed',
  variable: 'SAMTALE_BASE',
}
const threads: Option = {
  type: 'string',
  value: 'N',
  about: 'threads that run pipes, at most; otherwise as many as there are cores, and at least 2',
  variable: 'SAMTALE_THREADS',
}
const masterKeyFile: Option = {
  type: 'string',
  value: 'FILE',
  about: 'master key of secrets; otherwise SAMTALE_MASTER_KEY, or master.key in the data folder',
  variable: 'SAMTALE_MASTER_KEY_FILE',
}
const json: Option = { type: 'boolean', about: 'print JSON for programs' }
const tenant: Option = { type: 'string', value: 'NAME', about: 'the tenant', default: 'default' }
const jwtKeyFile: Option = {
  type: 'string',
  value: 'FILE',
  about: 'key that tokens are signed with (HS256); otherwise jwt.key of the data folder',
  variable: 'SAMTALE_JWT_KEY_FILE',
}
const roles: Option = {
  type: 'string',
  value: 'A,B',
  about: 'roles: group:Admin, group:Developer, group:User, group:Guest, or your own',
}
const tenants: Option = { type: 'string', value: 'A,B', about: 'only these tenants' }
const url: Option = {
  type: 'string',
  value: 'URL',
  about: 'where the hub is',
  variable: 'SAMTALE_URL',
  default: 'http://127.0.0.1:9042',
}
const help: Option = { type: 'boolean', about: 'show this help' }

/** How a command asks a hub that wants to know who asks. */
const TOKEN = 'It asks the hub over its API, with the token in SAMTALE_TOKEN.'

export const usages = {
  serve: {
    name: 'serve',
    summary: 'Run the hub and its API until it is stopped.',
    positionals: [],
    options: {
      host: {
        type: 'string',
        value: 'ADDRESS',
        about: 'address to listen on',
        variable: 'SAMTALE_HOST',
        default: '127.0.0.1',
      },
      port: {
        type: 'string',
        value: 'PORT',
        about: 'port to listen on; 0 picks a free one',
        variable: 'SAMTALE_PORT',
        default: '9042',
      },
      data,
      config: {
        type: 'string',
        value: 'DIR',
        about: 'configuration folder to load at start; otherwise what was loaded last',
        variable: 'SAMTALE_CONFIG',
      },
      base,
      threads,
      'master-key-file': masterKeyFile,
      'backup-dir': {
        type: 'string',
        value: 'DIR',
        about: 'folder of backups: the hub makes one of each tenant every so many hours',
        variable: 'SAMTALE_BACKUP_DIR',
      },
      'backup-hours': {
        type: 'string',
        value: 'HOURS',
        about: 'hours between two backups',
        variable: 'SAMTALE_BACKUP_HOURS',
        default: '24',
      },
      'backup-keep': {
        type: 'string',
        value: 'D,W,M',
        about: 'backups kept beside the newest: of how many days, weeks and months',
        variable: 'SAMTALE_BACKUP_KEEP',
        default: '7,4,4',
      },
      'start-options': {
        type: 'string',
        value: 'FILE',
        about: 'JSON with a task_manager that holds pumps back, whatever the configuration says',
        variable: 'SAMTALE_START_OPTIONS',
      },
      'network-policy': {
        type: 'string',
        value: 'FILE',
        about: 'JSON with who may come in by address: allow, deny, trusted_proxies, pipes; otherwise what is stored',
        variable: 'SAMTALE_NETWORK_POLICY',
      },
      'trusted-proxies': {
        type: 'string',
        value: 'LIST',
        about: 'addresses and ranges of proxies that are believed when they say for whom they ask',
        variable: 'SAMTALE_TRUSTED_PROXIES',
      },
      'allow-targets': {
        type: 'string',
        value: 'LIST',
        about: 'addresses, ranges and names on this machine and in private networks that systems may reach',
        variable: 'SAMTALE_ALLOW_TARGETS',
      },
      limits: {
        type: 'string',
        value: 'LIST',
        about: 'what may be asked of the hub at most, as NAME=NUMBER,…; see below',
        variable: 'SAMTALE_LIMITS',
      },
      'log-level': {
        type: 'string',
        value: 'LEVEL',
        about: 'what the log tells: error, warn, info (each request and run, too) or debug',
        variable: 'SAMTALE_LOG_LEVEL',
        default: 'warn',
      },
      'log-format': {
        type: 'string',
        value: 'FORMAT',
        about: 'json, text, or auto: text where somebody watches, otherwise JSON',
        variable: 'SAMTALE_LOG_FORMAT',
        default: 'auto',
      },
      auth: {
        type: 'string',
        value: 'on|off',
        about: 'whether callers must show who they are; otherwise they must, but for --developer on this machine',
        variable: 'SAMTALE_AUTH',
      },
      'jwt-key-file': jwtKeyFile,
      jwks: {
        type: 'string',
        value: 'FILE|URL',
        about: 'public keys of others whose tokens count: RS256 and ES256',
        variable: 'SAMTALE_JWKS',
      },
      'jwt-issuer': {
        type: 'string',
        value: 'ISS',
        about: 'who must have issued those tokens',
        variable: 'SAMTALE_JWT_ISSUER',
      },
      'jwt-audience': {
        type: 'string',
        value: 'AUD',
        about: 'for whom they must be',
        variable: 'SAMTALE_JWT_AUDIENCE',
      },
      'tls-cert': {
        type: 'string',
        value: 'FILE',
        about: 'certificate as PEM, read again on SIGHUP',
        variable: 'SAMTALE_TLS_CERT',
      },
      'tls-key': { type: 'string', value: 'FILE', about: 'its key', variable: 'SAMTALE_TLS_KEY' },
      developer: {
        type: 'boolean',
        about: 'developer mode; on this machine, and as long as there are no accounts, without authentication',
        variable: 'SAMTALE_DEVELOPER',
      },
      verbose: { type: 'boolean', about: 'as --log-level debug' },
      help,
    },
    details: `Each option may be given by its environment variable. ${VARIABLES} SIGTERM ends it cleanly: pumps stop between batches. Whoever calls shows a token; until there is an account (samtale user add), an administrator's lies in admin.jwt of the data folder. The key that tokens are signed with may also be given in SAMTALE_JWT_KEY.\n\n${limitsHelp()}`,
  },
  check: {
    name: 'check',
    summary: 'Check a configuration folder: every problem at once, with file and JSON pointer.',
    positionals: ['DIR'],
    options: { json, help },
    details: `${VARIABLES} Exit code 0 when there are no errors (warnings do not count), otherwise 1.`,
  },
  explain: {
    name: 'explain',
    summary: 'Say how a pipe does its work: joins and their indexes, what is tracked, where properties come from.',
    positionals: ['PIPE'],
    options: {
      config: { type: 'string', value: 'DIR', about: 'configuration folder; otherwise what the data folder holds' },
      data,
      tenant,
      json,
      help,
    },
    details: `${VARIABLES} Exit code 1 when the pipe has errors.`,
  },
  flow: {
    name: 'flow',
    summary: 'Show what feeds what: pipes, datasets and systems, with what waits, circles, and who is not exact.',
    positionals: [],
    options: {
      config: { type: 'string', value: 'DIR', about: 'configuration folder; otherwise what the data folder holds' },
      data,
      tenant,
      json,
      help,
    },
    details: `${VARIABLES} Queues are those of the data folder, also while a hub runs on it; how long changes take only a running hub knows (GET /api/flow, GET /api/metrics).`,
  },
  schema: {
    name: 'schema',
    summary: 'Show what the entities of a pipe or a dataset look like, as far as was seen.',
    positionals: ['NAME'],
    options: {
      source: { type: 'boolean', about: 'what the pipe reads; otherwise what it hands to its sink' },
      data,
      tenant,
      json,
      help,
    },
    details:
      'It reads the data folder, also while a hub runs on it. A dataset that no pipe of the same name counted is read through. NAME.type[] is of the elements of lists.',
  },
  status: {
    name: 'status',
    summary: 'A hub that runs, at a glance: health, pipes that fail or wait, disks, backups, notifications.',
    positionals: [],
    options: { url, tenant, json, help },
    details: `${TOKEN} Exit code 1 when somebody has to look at something.`,
  },
  logs: {
    name: 'logs',
    summary: 'What a hub that runs said of late: requests, runs of pipes, and what went wrong.',
    positionals: ['[LOGGER]'],
    options: {
      url,
      level: { type: 'string', value: 'LEVEL', about: 'only lines of this level and above: debug, info, warn, error' },
      pipe: { type: 'string', value: 'ID', about: 'only lines about this pipe' },
      request: { type: 'string', value: 'ID', about: 'only what this request caused: X-Request-Id of its answer' },
      since: { type: 'string', value: 'TIME', about: 'only lines after this time, ISO 8601' },
      lines: { type: 'string', value: 'N', about: 'so many, the newest', default: '100' },
      follow: { type: 'boolean', about: 'go on with what comes' },
      json,
      help,
    },
    details: `${TOKEN} Loggers are api, pipes, hub and notifications; all of them unless said.`,
  },
  notifications: {
    name: 'notifications',
    summary: 'What the notification rules of a hub that runs found; what goes on comes first.',
    positionals: [],
    options: {
      url,
      tenant,
      ongoing: { type: 'boolean', about: 'only what goes on' },
      deliveries: { type: 'boolean', about: 'what is still to be sent, too, and what was given up' },
      limit: { type: 'string', value: 'N', about: 'so many, the newest', default: '50' },
      json,
      help,
    },
    details: `${TOKEN} Exit code 1 when something goes on.`,
  },
  docs: {
    name: 'docs',
    summary: 'Print the reference of the Data Transformation Language as Markdown, or one function of it.',
    positionals: ['dtl', '[NAME]'],
    options: {
      json: { type: 'boolean', about: 'print JSON for editors: names, arguments, sentences, examples' },
      help,
    },
  },
  run: {
    name: 'run',
    summary: 'Load a configuration folder, run all pipes until nothing changes, print a table, exit.',
    positionals: ['DIR'],
    options: {
      data: { type: 'string', value: 'DIR', about: 'folder of the data; a temporary one when absent' },
      base,
      threads,
      'master-key-file': masterKeyFile,
      json,
      help,
    },
    details: `${VARIABLES} Exit code 1 when a pipe failed, is invalid or still waits for something.`,
  },
  import: {
    name: 'import',
    summary: 'Read RDF files into a dataset, through the log.',
    positionals: ['FILE...'],
    options: {
      dataset: { type: 'string', value: 'ID', about: 'the dataset to write (required)' },
      format: {
        type: 'string',
        value: 'FORMAT',
        about: 'turtle, trig, n-triples, n-quads, rdf-xml or json-ld; otherwise by file ending',
      },
      data,
      base,
      tenant,
      json,
      help,
    },
  },
  export: {
    name: 'export',
    summary: 'Write a dataset, or all of a tenant, as RDF.',
    positionals: ['[FILE]'],
    options: {
      dataset: { type: 'string', value: 'ID', about: 'only this dataset' },
      format: {
        type: 'string',
        value: 'FORMAT',
        about: 'turtle, trig, n-triples, n-quads, rdf-xml or json-ld; otherwise by file ending, else trig',
      },
      data,
      tenant,
      help,
    },
    details: 'Without FILE it goes to standard output.',
  },
  rollback: {
    name: 'rollback',
    summary: 'Put the configuration and its variables back to what they were before the last change.',
    positionals: [],
    options: {
      to: { type: 'string', value: 'N', about: 'this generation; otherwise the one before the present one' },
      list: { type: 'boolean', about: 'only list the generations that are kept' },
      data,
      tenant,
      'master-key-file': masterKeyFile,
      json,
      help,
    },
    details:
      'No hub may be running on the data; of one that runs ask POST /api/config-rollback. The last 10 changes are kept. Rolling back is a change itself: once more takes it back. Pipes that come back begin anew, since their state went with them. Exit code 1 when there is nothing to go back to.',
  },
  secrets: {
    name: 'secrets',
    summary: 'List, set or delete secrets, or seal them with another master key.',
    positionals: ['list|set|delete|rotate', '[NAME]'],
    options: {
      system: { type: 'string', value: 'ID', about: 'secrets of this system; otherwise the global ones' },
      'new-key-file': { type: 'string', value: 'FILE', about: 'rotate: the master key from now on' },
      data,
      tenant,
      'master-key-file': masterKeyFile,
      json,
      help,
    },
    details:
      'No hub may be running on the data; of one that runs ask /api/secrets. `set NAME` reads the value from standard input; one line end behind it is left out. `rotate` wraps the keys of all secrets of all tenants with another master key: a new one in master.key of the data folder, or that of --new-key-file, with which the hub is to be started from then on. A rotation that was interrupted is gone on with by the same command.',
  },
  erase: {
    name: 'erase',
    summary: 'Erase one entity with all its versions, for good. No hub may be running on the data.',
    positionals: ['ENTITY'],
    options: {
      dataset: { type: 'string', value: 'ID', about: 'the dataset that holds it (required)' },
      data,
      tenant,
      json,
      help,
    },
    details:
      'A pipe that still finds the entity in its source writes it again: delete it there first. Copies in other datasets are erased one by one. Backups made before still hold it.',
  },
  verify: {
    name: 'verify',
    summary: 'Check all that a data folder holds: each broken law is named with its place.',
    positionals: [],
    options: {
      data,
      tenant: { type: 'string', value: 'NAME', about: 'only this tenant' },
      rebuild: {
        type: 'boolean',
        about: 'make indexes and counts anew from the log where they are wrong; no hub may run',
      },
      json,
      help,
    },
    details:
      'It reads in a process of its own, also while a hub runs on the folder. The log itself is never changed: when that is damaged, restore a backup. Exit code 0 when all is well, 1 when something was found.',
  },
  backup: {
    name: 'backup',
    summary: 'Back up tenants into a folder: what is new since the last backup there, or all of it.',
    positionals: ['DIR'],
    options: {
      data,
      tenant: { type: 'string', value: 'NAME', about: 'only this tenant' },
      full: { type: 'boolean', about: 'a full copy, not only what is new' },
      json,
      help,
    },
    details:
      'A backup is of one moment, and does not disturb a hub that runs on the data. Every eighth is a full one in any case. A hub backs up by itself with serve --backup-dir.',
  },
  restore: {
    name: 'restore',
    summary: 'Put tenants back to a backup.',
    positionals: ['DIR'],
    options: {
      data,
      'master-key-file': masterKeyFile,
      tenant: { type: 'string', value: 'NAME', about: 'only this tenant' },
      backup: { type: 'string', value: 'ID', about: 'this backup of the tenant; otherwise its newest one' },
      json,
      help,
    },
    details:
      'No hub may run on the data. What was restored is verified before it takes the place of what is there, which is kept until then. Each dataset then has a restore UUID and offset, by which those who read it elsewhere can tell. Backups hold secrets only as they are sealed: when the master key that they need is not here, it says so.',
  },
  datasets: {
    name: 'datasets',
    summary: 'List the datasets of a tenant.',
    positionals: [],
    options: {
      data,
      tenant,
      bytes: { type: 'boolean', about: 'how much each takes in the log; reads all of it' },
      json,
      help,
    },
    details: 'It reads the data folder, also while a hub runs on it.',
  },
  entity: {
    name: 'entity',
    summary: 'Show the versions of an entity, oldest first, with what changed from one to the next.',
    positionals: ['DATASET', 'ID'],
    options: { data, tenant, json, help },
    details:
      'It reads the data folder, also while a hub runs on it. Versions that compaction took away are not there. Exit code 1 when there is no such entity.',
  },
  user: {
    name: 'user',
    summary: 'Accounts that log in with a password: list, add, change, revoke, remove.',
    positionals: ['ACTION', '[EMAIL]'],
    options: {
      roles,
      name: { type: 'string', value: 'NAME', about: 'shown to people' },
      tenants,
      'password-file': {
        type: 'string',
        value: 'FILE',
        about: 'file that holds the password, - for standard input; otherwise one is made and shown',
      },
      'new-password': { type: 'boolean', about: 'change: make another password, and show it' },
      disable: { type: 'boolean', about: 'change: nobody can log in, and all tokens are void' },
      enable: { type: 'boolean', about: 'change: undo it' },
      data,
      json,
      help,
    },
    details:
      'revoke makes all tokens void that they logged in with. It works on the data folder, also while a hub runs on it, which knows of it within a second.',
  },
  token: {
    name: 'token',
    summary: 'Named tokens for programs: list, create, remove.',
    positionals: ['ACTION', '[NAME]'],
    options: {
      roles,
      user: { type: 'string', value: 'EMAIL', about: 'the account it acts for: it goes when that goes' },
      ids: { type: 'string', value: 'A,B', about: 'only these pipes, systems and datasets' },
      permissions: { type: 'string', value: 'A,B', about: 'only these permissions, such as read_data or read_metrics' },
      tenants,
      days: { type: 'string', value: 'N', about: 'days until it ends; 0: never', default: '365' },
      'jwt-key-file': jwtKeyFile,
      data,
      json,
      help,
    },
    details:
      'create prints the token and nothing else; it is kept nowhere. remove takes the id that list shows. It works on the data folder, also while a hub runs on it.',
  },
} satisfies Record<string, CommandUsage>

export type CommandName = keyof typeof usages
export const commandNames = Object.keys(usages) as CommandName[]

export function generalHelp(version: string): string {
  const width = Math.max(...commandNames.map((name) => name.length))
  const lines = commandNames.map((name) => `  ${name.padEnd(width)}  ${usages[name].summary}`)
  return [
    `Samtale ${version}: an open, RDF-native data hub.`,
    '',
    'Usage: samtale COMMAND [options]',
    '',
    'Commands:',
    ...lines,
    '',
    'samtale COMMAND --help says more about each. samtale --version prints the version.',
    '',
  ].join('\n')
}

export function commandHelp(usage: CommandUsage): string {
  const rows = Object.entries(usage.options).map(([name, option]): [string, string] => {
    const flag = option.value === undefined ? `--${name}` : `--${name} ${option.value}`
    const origin = [
      ...(option.default === undefined ? [] : [`default ${option.default}`]),
      ...(option.variable === undefined ? [] : [option.variable]),
    ]
    return [flag, origin.length === 0 ? option.about : `${option.about} (${origin.join('; ')})`]
  })
  const width = Math.max(...rows.map(([flag]) => flag.length))
  return [
    usage.summary,
    '',
    `Usage: samtale ${[usage.name, ...usage.positionals].join(' ')} [options]`,
    '',
    'Options:',
    ...rows.map(([flag, about]) => `  ${flag.padEnd(width)}  ${about}`),
    ...(usage.details === undefined ? [] : ['', usage.details]),
    '',
  ].join('\n')
}

export const parseOptions = (usage: CommandUsage): NonNullable<ParseArgsConfig['options']> =>
  Object.fromEntries(
    Object.entries(usage.options).map(([name, { type }]) => [name, name === 'help' ? { type, short: 'h' } : { type }]),
  )
