/** MurmurHash3 x64-128 once more, over 64-bit words made of four numbers of 16 bits. */

type Word = readonly [number, number, number, number]

/** Sixteen bits each, the lowest first; what is too much is carried, and lost at the end. */
function carried(parts: readonly number[]): Word {
  const word = [0, 0, 0, 0]
  let carry = 0
  for (let at = 0; at < 4; at++) {
    const sum = (parts[at] as number) + carry
    word[at] = sum % 65_536
    carry = Math.floor(sum / 65_536)
  }
  return word as unknown as Word
}

const plus = (a: Word, b: Word): Word => carried(a.map((part, at) => part + (b[at] as number)))
const xor = (a: Word, b: Word): Word => a.map((part, at) => part ^ (b[at] as number)) as unknown as Word

function times(a: Word, b: Word): Word {
  let product: Word = [0, 0, 0, 0]
  for (let i = 0; i < 4; i++) {
    for (let j = 0; i + j < 4; j++) {
      const parts = [0, 0, 0, 0]
      parts[i + j] = (a[i] as number) * (b[j] as number)
      product = plus(product, carried(parts))
    }
  }
  return product
}

const bits = (word: Word): string =>
  [...word]
    .reverse()
    .map((part) => part.toString(2).padStart(16, '0'))
    .join('')
const ofBits = (text: string): Word =>
  [48, 32, 16, 0].map((at) => Number.parseInt(text.slice(at, at + 16), 2)) as unknown as Word
const rotated = (word: Word, by: number): Word => ofBits(bits(word).slice(by) + bits(word).slice(0, by))
const shifted = (word: Word, by: number): Word => ofBits('0'.repeat(by) + bits(word).slice(0, 64 - by))
const hex = (text: string): Word =>
  [12, 8, 4, 0].map((at) => Number.parseInt(text.slice(at, at + 4), 16)) as unknown as Word
const small = (number: number): Word => [number % 65_536, Math.floor(number / 65_536), 0, 0]

const C1 = hex('87c37b91114253d5')
const C2 = hex('4cf5ad432745937f')

const wordAt = (bytes: readonly number[], at: number): Word =>
  [0, 2, 4, 6].map((place) => (bytes[at + place] ?? 0) + (bytes[at + place + 1] ?? 0) * 256) as unknown as Word

const mixed = (word: Word): Word => {
  const one = times(xor(word, shifted(word, 33)), hex('ff51afd7ed558ccd'))
  const two = times(xor(one, shifted(one, 33)), hex('c4ceb9fe1a85ec53'))
  return xor(two, shifted(two, 33))
}

export function hash128(bytes: readonly number[], seed: number): bigint {
  let [h1, h2] = [small(seed), small(seed)]
  const k1 = (at: number) => times(rotated(times(wordAt(bytes, at), C1), 31), C2)
  const k2 = (at: number) => times(rotated(times(wordAt(bytes, at + 8), C2), 33), C1)
  let at = 0
  for (; at + 16 <= bytes.length; at += 16) {
    h1 = plus(times(plus(rotated(xor(h1, k1(at)), 27), h2), small(5)), small(0x52dce729))
    h2 = plus(times(plus(rotated(xor(h2, k2(at)), 31), h1), small(5)), small(0x38495ab5))
  }
  h2 = xor(h2, k2(at))
  h1 = xor(h1, k1(at))
  h1 = xor(h1, small(bytes.length))
  h2 = xor(h2, small(bytes.length))
  h1 = plus(h1, h2)
  h2 = plus(h2, h1)
  h1 = mixed(h1)
  h2 = mixed(h2)
  h1 = plus(h1, h2)
  h2 = plus(h2, h1)
  return BigInt(`0b${bits(h2)}${bits(h1)}`)
}
