/** Mistakes in programs: all of them at once, each with its place and what to do. */

import { describe, expect, it } from 'vitest'
import { compileDtl, compileExpression } from '../../src/dtl/compile.ts'
import { fromPlain } from '../../src/model/json.ts'
import { namespaced, plain, problemsOf } from './settings.ts'

const messages = (rules: unknown, more: object = {}) =>
  problemsOf(rules, more).map(
    ({ level, pointer, message, hint }) => `${level} ${pointer} ${message}${hint === undefined ? '' : ` (${hint})`}`,
  )
const errors = (rules: unknown, more: object = {}) => problemsOf(rules, more).filter(({ level }) => level === 'error')
const pointers = (rules: unknown) => problemsOf(rules).map(({ pointer }) => pointer)
const hops = (spec: object, ...more: object[]) => ({ default: [['add', 'x', ['hops', spec, ...more]]] })
const AT = '/rules/default/0/2/1'

describe('a program', () => {
  it('must be an object with rules, one of them the default', () => {
    expect(compileDtl('x', plain)).toEqual({
      transform: null,
      problems: [
        {
          level: 'error',
          pointer: '',
          message: 'A DTL transform must be an object with "rules".',
          hint: 'For example {"type": "dtl", "rules": {"default": [["copy", "*"]]}}.',
        },
      ],
    })
    expect(problemsOf(undefined)[0]?.pointer).toBe('')
    expect(problemsOf([])[0]?.pointer).toBe('/rules')
    expect(messages({ other: [] })[0]).toContain(
      'error /rules The rule "default" is missing: it is where a program starts.',
    )
    expect(errors({ default: 'copy' })[0]?.message).toBe('The rule "default" must be a list of transforms.')
    expect(errors({ default: [{}] })[0]?.pointer).toBe('/rules/default/0')
  })

  it('takes one bare transform for a rule of one', () => {
    expect(problemsOf({ default: ['copy', '*'] })).toEqual([])
    expect(problemsOf({ default: [] })).toEqual([])
  })

  it('names all mistakes at once, with the place of each', () => {
    expect(
      pointers({
        default: [
          ['ad', 'x', 1],
          ['add', 'y', ['uper', '_S.a']],
          ['add', 'z'],
          [
            'if',
            ['gt', 1, 2],
            [
              ['add', 'a', ['lower']],
              ['cpy', '*'],
            ],
          ],
        ],
        'a/b~c': [['add', 'x', ['first', ['nope', 1]]]],
      }),
    ).toEqual([
      '/rules/default/0',
      '/rules/default/1/2',
      '/rules/default/2',
      '/rules/default/3/2/0/2',
      '/rules/default/3/2/1',
      '/rules/a~1b~0c/0/2/1',
      '/rules/a~1b~0c',
    ])
  })

  it('warns of properties it does not know', () => {
    expect(messages({ default: [] }, { id_requird: true })).toEqual([
      "warning /id_requird A DTL transform has no property 'id_requird'. (Did you mean 'id_required'?)",
    ])
    expect(errors({ default: [] }, { id_required: 'no' })[0]?.pointer).toBe('/id_required')
    expect(errors({ default: [] }, { trigger_on: 'x' })[0]?.pointer).toBe('/trigger_on')
    expect(problemsOf({ default: [] }, { trigger_on: { value: 'x*' }, comment: ['a'], id_required: false })).toEqual([])
  })
})

describe('a name', () => {
  it('that nobody knows comes with the nearest known one', () => {
    expect(messages({ default: [['add', 'x', ['uper', 'a']]] })[0]).toBe(
      "error /rules/default/0/2 Unknown function 'uper'. (Did you mean 'upper'?)",
    )
    expect(messages({ default: [['renam', 'a', 'b']] })[0]).toBe(
      "error /rules/default/0 Unknown transform 'renam'. (Did you mean 'rename'?)",
    )
  })

  it('stands where its kind belongs', () => {
    expect(errors({ default: [['upper', 'a']] })[0]?.message).toBe(
      "'upper' is an expression function, not a transform.",
    )
    expect(errors({ default: [['add', 'x', ['copy', '*']]] })[0]?.message).toBe(
      "'copy' is a transform, not an expression function.",
    )
    expect(problemsOf({ default: [['if', ['if', 1, 2], ['filter', ['filter', '_.', 1]]]] })).toEqual([])
  })

  it('heads every list in an expression', () => {
    expect(errors({ default: [['add', 'x', []]] })[0]?.pointer).toBe('/rules/default/0/2')
    expect(errors({ default: [['add', 'x', [1, 2]]] })[0]?.hint).toBe('Write a list of values as ["list", …].')
    expect(errors({ default: [['add', 'x', ['a', 'b']]] })[0]?.hint).toBe('Write a list of values as ["list", …].')
    expect(problemsOf({ default: [['add', 'x', { a: ['b', ['c']] }]] })).toEqual([])
    expect(problemsOf({ default: [['add', 'x', ['literal', ['a', 'b']]]] })).toEqual([])
  })
})

describe('arguments', () => {
  it('come in the number that the signature allows', () => {
    const message = (call: unknown) => errors({ default: [['add', 'x', call]] })[0]?.message
    expect(message(['lower'])).toBe("'lower' takes 1 argument, not 0.")
    expect(message(['slice', 1])).toBe("'slice' takes 2 or 3 or 4 arguments, not 1.")
    expect(message(['and'])).toBe("'and' takes 1 or more arguments, not 0.")
    expect(message(['dict', 'a', 1, 'b'])).toBe("'dict' takes 0, 1, 2 … arguments, not 3.")
    expect(message(['case', 1])).toBe("'case' takes 2 or more arguments, not 1.")
    expect(message(['case-eq', 1, 2])).toBe("'case-eq' takes 3 or more arguments, not 2.")
    expect(errors({ default: [['add', 'x', ['nth', 1]]] })[0]?.hint).toBe('Write ["nth", INDEX, VALUES].')
    expect(errors({ default: [['copy']] })[0]?.message).toBe("'copy' takes 1 or 2 arguments, not 0.")
  })

  it('that must be constant are', () => {
    expect(errors({ default: [['copy', ['concat', 'a', '*']]] })[0]?.pointer).toBe('/rules/default/0/1')
    expect(errors({ default: [['remove', '_S.x', 1]] }).length).toBe(1)
    expect(errors({ default: [['fail!', ['concat', 'a']]] })[0]?.message).toBe('MESSAGE must be a constant string.')
    expect(errors({ default: [['add', 'x', ['lookup-entity', ['concat', 'a'], 'b']]] })[0]?.message).toBe(
      'DATASET_ID must be a constant string.',
    )
    expect(errors({ default: [['add', 'x', ['apply', 1, 2]]] })[0]?.message).toBe('RULE_ID must be a constant string.')
    expect(errors({ default: [['add', 'x', ['apply-ns', 1, 2]]] })[0]?.message).toContain(
      'a constant string or an object',
    )
    expect(errors({ default: [['add', 'x', ['apply-ns', { skip_undescore: false }, 2]]] })[0]?.hint).toBe(
      "Did you mean 'skip_underscore'?",
    )
  })

  it('that no value could be right for are found before anything runs', () => {
    expect(errors({ default: [['add', 'x', ['range', 0, 9, 0]]] })[0]?.message).toBe('STEP of range must not be 0.')
    expect(errors({ default: [['add', 'x', ['range', 'a', 9]]] })[0]?.pointer).toBe('/rules/default/0/2/1')
    expect(errors({ default: [['add', 'x', ['slice', 0, 9, 0, '_S.a']]] })[0]?.message).toBe(
      'STRIDE of slice must not be 0.',
    )
  })
})

describe('paths and variables', () => {
  it('are read by their rules', () => {
    expect(errors({ default: [['add', 'x', "_S.'a"]] })[0]?.message).toContain('a quoted element is not closed')
    expect(errors({ default: [['add', 'x', '_S.a..b']] })[0]?.message).toContain('an element is empty')
    expect(errors({ default: [['add', 'x', "_S.'a'b"]] })[0]?.message).toContain('a dot is missing')
    expect(problemsOf({ default: [['add', 'x', '_S.a.']] })).toEqual([])
  })

  it('do not use `_` where nothing binds it', () => {
    expect(errors({ default: [['add', 'x', '_.a']] })[0]?.pointer).toBe('/rules/default/0/2')
    expect(
      errors({ default: [['add', 'x', ['filter', ['gt', '_.', 1], '_.']]] }).map(({ pointer }) => pointer),
    ).toEqual(['/rules/default/0/2/2'])
    expect(problemsOf({ default: [['add-if', 'x', ['gt', '_.', 1], 2]] })).toEqual([])
  })

  it('warn of a parent that is not there and of a variable in lower case', () => {
    expect(messages({ default: [['add', 'x', '_P._S.a']] })[0]).toContain("warning /rules/default/0/2 '_P' is null")
    expect(messages({ default: [['add', 'x', '_s.a']] })[0]).toContain("Did you mean '_S'?")
    expect(problemsOf({ default: [['add', 'x', 'S.a']] })).toEqual([])
  })
})

describe('rules', () => {
  it('must exist to be applied', () => {
    expect(messages({ default: [['add', 'x', ['apply', 'ordr', 1]]], order: [] })).toEqual([
      'error /rules/default/0/2/1 There is no rule "ordr". (Did you mean \'order\'?)',
      'warning /rules/order The rule "order" is never applied. (Write ["apply", "order", …], or remove it.)',
    ])
  })

  it('of apply use no hops, themselves or through others', () => {
    const hop = ['hops', { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] }]
    const nested = {
      default: [['add', 'x', ['apply', 'a', 1]]],
      a: [['add', 'y', ['apply', 'b', 1]]],
      b: [['add', 'z', hop]],
    }
    expect(errors(nested).map(({ pointer }) => pointer)).toEqual(['/rules/default/0/2/1', '/rules/a/0/2/1'])
    const allowed = { default: [['add', 'x', ['apply-hops', 'b', hop[1]]]], b: [['add', 'z', hop]] }
    expect(problemsOf(allowed)).toEqual([])
  })

  it('may apply one another in a circle', () => {
    expect(
      problemsOf({ default: [['add', 'x', ['apply', 'a', '_S.c']]], a: [['add', 'x', ['apply', 'a', '_S.c']]] }),
    ).toEqual([])
  })
})

describe('a hops', () => {
  const good = { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] }

  it('needs datasets with aliases, and conditions', () => {
    expect(pointers(hops({}))).toEqual([`${AT}/datasets`, `${AT}/where`])
    expect(pointers(hops({ ...good, datasets: ['b'] }))[0]).toBe(`${AT}/datasets/0`)
    expect(pointers(hops({ ...good, datasets: [] }))).toEqual([`${AT}/datasets`])
    expect(errors(hops({ ...good, datasets: ['b b', 'c b'] }))[0]?.message).toBe("The alias 'b' is given twice.")
    expect(errors(hops({ ...good, datasets: ['b _S'] }))[0]?.message).toBe("The alias '_S' is the name of a variable.")
    expect(errors(hops({ ...good, datasets: ['b a.b'] }))[0]?.pointer).toBe(`${AT}/datasets/0`)
    expect(errors({ default: [['add', 'x', ['hops', 'b']]] })[0]?.pointer).toBe(AT)
  })

  it('knows its properties', () => {
    expect(messages(hops({ ...good, 'track-dependency': false }))[0]).toContain("Did you mean 'track-dependencies'?")
    expect(messages(hops({ ...good, track_dependencies: false }))[0]).toContain("Did you mean 'track-dependencies'?")
    expect(errors(hops({ ...good, trace: 'x' }))).toEqual([])
    expect(errors(hops({ ...good, trace: 7 }))[0]?.message).toBe('"trace" must be a string.')
    expect(pointers(hops({ ...good, recurse: 'yes' }))).toEqual([`${AT}/recurse`])
    expect(pointers(hops({ ...good, recurse: true, max_depth: -1 }))).toEqual([`${AT}/max_depth`])
    expect(messages(hops({ ...good, max_depth: 3, exclude_root: true })).map((text) => text.split(' ')[0])).toEqual([
      'warning',
      'warning',
    ])
  })

  it('reports under a name of its own', () => {
    const traced = (trace: string) => ['add', 'x', ['hops', { ...good, trace }]]
    expect(problemsOf({ default: [traced('a'), traced('b')] })).toEqual([])
    const [problem] = problemsOf({ default: [traced('a'), traced('a')] })
    expect(problem?.level).toBe('warning')
    expect(problem?.message).toBe('The trace "a" is also that of the hops at /rules/default/0/2/1.')
    expect(problem?.pointer).toBe('/rules/default/1/2/1/trace')
  })

  it('joins every alias with the source', () => {
    const [problem] = errors(hops({ datasets: ['b b', 'c c'], where: ['eq', '_S.x', 'b.x'] }))
    expect(problem?.message).toBe("The alias 'c' is not joined with _S, neither directly nor through other aliases.")
    expect(problem?.pointer).toBe(`${AT}/where`)
    expect(errors(hops({ datasets: ['b b'], where: ['not', ['eq', '_S.x', 'b.x']] })).length).toBe(1)
    expect(errors(hops({ datasets: ['b b'], where: ['eq', ['concat', '_S.x', 'b.y'], 'b.x'] })).length).toBe(1)
    expect(
      problemsOf(
        hops({
          datasets: ['b b', 'c c'],
          where: [
            ['eq', 'b.y', 'c.y'],
            ['eq', '_S.x', 'b.x'],
          ],
        }),
      ),
    ).toEqual([])
  })

  it('warns of a second join between the same two', () => {
    const [problem, ...more] = problemsOf(hops({ ...good, where: [good.where, ['eq', '_S.y', 'b.y']] }))
    expect([problem?.level, problem?.pointer, more.length]).toEqual(['warning', `${AT}/where/1`, 0])
  })

  it('warns of joins that cannot be tracked', () => {
    expect(problemsOf(hops({ ...good, where: ['eq', '_T.x', 'b.x'] }))[0]?.level).toBe('warning')
    expect(problemsOf(hops({ ...good, where: ['eq', '_T.x', 'b.x'], 'track-dependencies': false }))).toEqual([])
  })

  it('returns from its last spec only, and not when it recurses', () => {
    expect(pointers(hops({ ...good, return: 'b.x' }, good))).toEqual([`${AT}/return`])
    expect(pointers(hops(good, { ...good, return: 'b.x' }))).toEqual([])
    expect(pointers(hops({ ...good, recurse: true, return: 'b' }))).toEqual([`${AT}/return`])
    expect(messages(hops({ ...good, return: 'c' }))[0]).toContain('is no alias of this spec')
  })

  it('has subsets of the right form', () => {
    const subset = (subsets: unknown) => pointers(hops({ ...good, subsets } as object))
    expect(subset({ b: ['eq', '_S.t', 'x'] })).toEqual([])
    expect(subset({ c: ['eq', '_S.t', 'x'] })).toEqual([`${AT}/subsets/c`])
    expect(subset({ b: ['neq', '_S.t', 'x'] })).toEqual([`${AT}/subsets/b`])
    expect(subset({ b: ['eq', '_S.t', ['ni', 'a', 'b']] })).toEqual([`${AT}/subsets/b/2`])
    expect(subset({ b: ['eq', '_T.t', 'x'] })).toEqual([`${AT}/subsets/b/1`])
    expect(subset({ b: ['eq', ['lookup-entity', 'd', '_S.t'], 'x'] })).toEqual([`${AT}/subsets/b/1`])
    expect(messages(hops({ ...good, prefilters: { b: ['eq', '_S.t', 'x'] } }))[0]).toContain('warning')
  })

  it('indexes only what is the same for an entity at any time', () => {
    const join = (side: unknown) => errors(hops({ ...good, where: ['eq', '_S.x', side] }))[0]?.message
    expect(join(['concat', 'b.x', ['lookup-entity', 'd', 'e']])).toBe(
      "'lookup-entity' cannot be used in an index expression: it reads other datasets.",
    )
    expect(join(['list', 'b.x', ['uuid']])).toBe("'uuid' cannot be used in an index expression: it depends on chance.")
    expect(join(['uuid', 'b.x'])).toBeUndefined()
    expect(join(['apply', 'default', 'b.x'])).toContain('rules are not part of an index')
  })
})

describe('a single expression', () => {
  it('is checked like those of programs', () => {
    const problems = (expression: unknown) =>
      compileExpression(fromPlain(expression), namespaced).problems.map(
        ({ pointer, message }) => `${pointer} ${message}`,
      )
    expect(problems('_S.a')).toEqual([])
    expect(problems(['lowr', '_S.a'])).toEqual([" Unknown function 'lowr'."])
    expect(problems(['list', '_S.a', '_T.b'])).toEqual([' An index expression sees nothing but _S.'])
    expect(problems('_T.a')).toEqual([' An index expression sees nothing but _S.'])
    expect(problems(['list', ['hops', { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] }]])[0]).toContain('/1 ')
  })
})

/** What the compiler can say, one program for each; every finding has a place and says what to do. */
const said: readonly (readonly [
  level: 'error' | 'warning',
  pointer: string,
  message: RegExp,
  rules: unknown,
  more?: object,
])[] = [
  ['error', '', /needs "rules"/, undefined],
  ['error', '/rules', /needs "rules"/, []],
  ['error', '/rules', /"default" is missing/, { other: [] }],
  ['error', '/rules/default', /must be a list of transforms/, { default: 'copy' }],
  ['error', '/rules/default/0/2', /THEN must be a list of transforms/, { default: [['if', true, 1]] }],
  ['error', '/rules/default/0', /starts with the name of a transform/, { default: [[]] }],
  ['error', '/rules/default/0', /starts with the name of a transform/, { default: [5] }],
  ['error', '/rules/default/0', /Unknown transform 'xyzzy'/, { default: [['xyzzy', 1]] }],
  ['error', '/rules/default/0', /'concat' is an expression function/, { default: [['concat', 'a']] }],
  ['error', '/rules/default/0', /'add' takes 2 arguments, not 1/, { default: [['add', 'x']] }],
  ['error', '/id_required', /must be true or false/, { default: [] }, { id_required: 1 }],
  ['error', '/trigger_on', /must be an object with "value"/, { default: [] }, { trigger_on: {} }],
  ['error', '/trigger_on/key', /an element is empty/, { default: [] }, { trigger_on: { key: 'a..b', value: 1 } }],
  ['warning', '/xyzzy', /no property 'xyzzy'/, { default: [] }, { xyzzy: 1 }],
  ['warning', '/rules/x', /never applied/, { default: [], x: [] }],
  ...expressions(
    ['error', '', /Unknown function 'xyzzy'/, ['xyzzy', 1]],
    ['error', '', /'copy' is a transform/, ['copy', '*']],
    ['error', '', /must start with the name of a function/, []],
    ['error', '', /must start with the name of a function/, [[1]]],
    ['error', '', /'lower' takes 1 argument, not 2/, ['lower', 'a', 'b']],
    ['error', '', /'_' has no value here/, '_.a'],
    ['error', '', /an element is empty/, '_S.a..b'],
    ['error', '', /quoted element is not closed/, "_S.'a"],
    ['error', '', /a dot is missing/, "_S.'a'b"],
    ['warning', '', /'_P' is null/, '_P._S.a'],
    ['warning', '', /there is no variable '_t'/, '_t.a'],
    ['warning', '', /'curie' is deprecated/, ['curie', 'a', 'b']],
    ['warning', '', /'lookup' is deprecated/, ['lookup', 'a']],
    ['warning', '', /'ni-collapse' is deprecated/, ['ni-collapse', 'a']],
    ['warning', '', /'ni-expand' is deprecated/, ['ni-expand', 'a']],
    ['warning', '', /'reference' is deprecated/, ['reference', 'a', 'b']],
    ['warning', '', /'uri-expand' is deprecated/, ['uri-expand', '_S.']],
    ['error', '/1', /There is no rule "xyzzy"/, ['apply', 'xyzzy', 1]],
    ['error', '/1', /RULE_ID must be a constant string/, ['apply', ['concat', 'a'], 1]],
    ['error', '/1', /DATASET_ID must be a constant string/, ['lookup-entity', ['concat', 'a'], 1]],
    ['error', '/1', /VIA_DATASET_ID must be a constant string/, ['completeness', ['concat', 'a'], 'b']],
    ['error', '/1', /must be a constant string or an object/, ['apply-ns', 1, '_S.']],
    ['error', '/1', /apply-ns does not know 'xyzzy'/, ['apply-ns', { xyzzy: 1 }, '_S.']],
    [
      'error',
      '/1',
      /'identity_namespace' of apply-ns must be a string or null/,
      ['apply-ns', { identity_namespace: 1 }, 1],
    ],
    ['error', '/1', /'recursive' of apply-ns must be true or false/, ['apply-ns', { recursive: 'no' }, 1]],
    ['error', '/1', /no part of a date called 'days'/, ['datetime-plus', 'days', 1, '_S.a']],
    ['error', '/1', /no part of a date called 'days'/, ['datetime-diff', 'days', '_S.a', '_S.a']],
    ['error', '/1', /no time zone 'Oslo'/, ['datetime-format', 'Oslo', '%Y', '_S.a']],
    ['error', '/2', /no time zone 'Oslo'/, ['datetime-shift', 'UTC', 'Oslo', '_S.a']],
    ['error', '/1', /there is no %j/, ['datetime-parse', '%j', '_S.a']],
    ['error', '/1', /%z must come last/, ['datetime-parse', '%z %Y', '_S.a']],
    ['error', '/1', /a single % stands at the end/, ['datetime-format', '%Y%', '_S.a']],
    ['error', '/1', /more than 200 parts/, ['datetime-format', '%Y'.repeat(201), '_S.a']],
    ['error', '/1', /no hash algorithm 'md5'/, ['hash128', 'md5', '_S.a']],
    ['error', '/1', /no format 'xyzzy' of phone numbers/, ['phonenumber-format', 'xyzzy', '_S.a']],
    ['error', '/3', /STEP of range must not be 0/, ['range', 0, 1, 0]],
    ['error', '/1', /arguments of range must be integers/, ['range', 'a', 1]],
    ['error', '/3', /STRIDE of slice must not be 0/, ['slice', 0, 1, 0, '_S.a']],
    ['error', '/1', /KEY must be a string that is not empty/, ['encrypt', '', '_S.a']],
    ['error', '/1', /KEY must be a string that is not empty/, ['decrypt', 5, '_S.a']],
    ['error', '/1', /PUBLIC_KEY is no key that can be read/, ['encrypt-pki', 'x', '_S.a']],
    ['error', '/1', /PRIVATE_KEY is no key that can be read/, ['decrypt-pki', 'x', '_S.a']],
  ),
  ['error', '/rules/default/0/1', /constant pattern/, { default: [['copy', 5]] }],
  ['error', '/rules/default/0/1', /MESSAGE must be a constant string/, { default: [['fail!', 5]] }],
  ['error', '/rules/default/0/1', /PERIOD must be a constant integer/, { default: [['sleep!', 'a']] }],
  ['error', '/rules/default/0/1', /PERIOD must be from 0 to/, { default: [['sleep!', -1]] }],
  [
    'error',
    '/rules/default/0/2/1',
    /uses hops/,
    {
      default: [['add', 'x', ['apply', 'r', 1]]],
      r: hops({ datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] }).default,
    },
  ],
  ...specs(
    ['error', '/datasets', /"datasets" must be a list/, { datasets: 'b b' }],
    ['error', '/datasets/0', /a dataset and its alias/, { datasets: ['b'] }],
    ['error', '/datasets/0', /letters, digits/, { datasets: ['b b.c'] }],
    ['error', '/datasets/0', /name of a variable/, { datasets: ['b _S'] }],
    ['error', '/datasets/1', /given twice/, { datasets: ['b b', 'b b'] }],
    ['error', '/where', /"where" must be an expression/, { where: 'x' }],
    ['error', '/where', /not joined with _S/, { where: [] }],
    ['error', '/xyzzy', /no property 'xyzzy'/, { xyzzy: 1 }],
    ['error', '/recurse', /must be true or false/, { recurse: 1 }],
    ['error', '/track-dependencies', /must be true or false/, { 'track-dependencies': 'no' }],
    ['error', '/max_depth', /integer that is not negative/, { recurse: true, max_depth: 'x' }],
    ['error', '/trace', /must be a string/, { trace: 1 }],
    ['error', '/return', /together with "recurse"/, { recurse: true, return: 'b' }],
    ['error', '/return', /no alias of this spec/, { return: 'c' }],
    ['error', '/return', /must be aliases, a path/, { return: 5 }],
    ['error', '/subsets', /must be an object/, { subsets: [] }],
    ['error', '/subsets/zz', /no alias of this spec/, { subsets: { zz: ['eq', '_S.a', 1] } }],
    ['error', '/subsets/b', /must have the form/, { subsets: { b: ['neq', '_S.a', 1] } }],
    ['error', '/subsets/b/2', /must be a literal/, { subsets: { b: ['eq', '_S.a', ['now']] } }],
    ['error', '/subsets/b/1', /cannot be used in an index expression/, { subsets: { b: ['eq', ['now'], 1] } }],
    ['error', '/subsets/b/1', /sees nothing but/, { subsets: { b: ['eq', '_T.a', 1] } }],
    [
      'error',
      '/where/2/2',
      /cannot be used in an index expression/,
      { where: ['eq', '_S.x', ['list', 'b.x', ['now']]] },
    ],
    ['warning', '/max_depth', /no effect without "recurse"/, { max_depth: 1 }],
    ['warning', '/exclude_root', /no effect without "recurse"/, { exclude_root: true }],
    ['warning', '/prefilters', /old name of "subsets"/, { prefilters: { b: ['eq', '_S.a', 1] } }],
    ['warning', '/where', /A join on '_T' works/, { where: ['eq', '_T.x', 'b.x'] }],
    [
      'warning',
      '/where/1',
      /second join/,
      {
        where: [
          ['eq', '_S.x', 'b.x'],
          ['eq', '_S.y', 'b.y'],
        ],
      },
    ],
  ),
  ['error', `${AT}`, /A hops spec must be an object/, { default: [['add', 'x', ['hops', 1]]] }],
  [
    'error',
    `${AT}/return`,
    /in the last spec only/,
    hops(
      { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'], return: 'b.x' },
      { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] },
    ),
  ],
  [
    'warning',
    `${AT}/trace`,
    /last spec only/,
    hops(
      { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'], trace: 't' },
      { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] },
    ),
  ],
  [
    'warning',
    '/rules/default/1/2/1/trace',
    /also that of the hops/,
    {
      default: ['a', 'b'].map((name) => [
        'add',
        name,
        ['hops', { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'], trace: 't' }],
      ]),
    },
  ],
  [
    'warning',
    '/rules/r/0/2/1/where',
    /No change of 'c' can be followed back/,
    {
      default: [['add', 'x', ['apply-hops', 'r', { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'], return: 'b.n' }]]],
      r: [['add', 'y', ['hops', { datasets: ['c c'], where: ['eq', '_S.z', 'c.z'] }]]],
    },
  ],
]

type Said = (typeof said)[number]

/** Of one expression in the rule `default`. */
function expressions(...given: (readonly ['error' | 'warning', string, RegExp, unknown])[]): Said[] {
  return given.map(([level, at, message, one]) => [
    level,
    `/rules/default/0/2${at}`,
    message,
    { default: [['add', 'x', one]] },
  ])
}

/** Of one hops spec, made of a good one. */
function specs(...given: (readonly ['error' | 'warning', string, RegExp, object])[]): Said[] {
  const good = { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] }
  return given.map(([level, at, message, change]) => [level, AT + at, message, hops({ ...good, ...change })])
}

describe('what is wrong or doubtful', () => {
  const cases = said.map(([level, pointer, message, rules, more = {}]) => ({ level, pointer, message, rules, more }))
  it.each(cases)('$level at $pointer: $message', ({ level, pointer, message, rules, more }) => {
    const found = problemsOf(rules, more)
    const hint = expect.stringMatching(/\S/)
    expect(found).toContainEqual({ level, pointer, message: expect.stringMatching(message), hint })
    // What only follows from a mistake is not said as well.
    expect(found.filter((one) => one.level === 'error')).toHaveLength(level === 'error' ? 1 : 0)
  })
})
