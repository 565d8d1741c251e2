/** MurmurHash3, the x64 variant of 128 bits (public domain, Austin Appleby): for keys that other systems compute too. */

const MASK = 0xffff_ffff_ffff_ffffn
const C1 = 0x87c3_7b91_1142_53d5n
const C2 = 0x4cf5_ad43_2745_937fn

/** The hash as one number: the second half is the high one, `h2 << 64 | h1` (dtl.md §9.13). `seed` has 32 bits. */
export function murmur3(data: Uint8Array, seed: number): bigint {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const whole = data.length - (data.length % 16)
  let [h1, h2] = [BigInt(seed), BigInt(seed)]
  for (let at = 0; at < whole; at += 16) {
    h1 ^= first(view.getBigUint64(at, true))
    h1 = ((rotated(h1, 27n) + h2) * 5n + 0x52dc_e729n) & MASK
    h2 ^= second(view.getBigUint64(at + 8, true))
    h2 = ((rotated(h2, 31n) + h1) * 5n + 0x3849_5ab5n) & MASK
  }
  // The rest, filled up with zeros: of a zero half nothing comes.
  const rest = new DataView(new ArrayBuffer(16))
  for (let at = whole; at < data.length; at++) rest.setUint8(at - whole, data[at] as number)
  h1 ^= first(rest.getBigUint64(0, true))
  h2 ^= second(rest.getBigUint64(8, true))
  h1 ^= BigInt(data.length)
  h2 ^= BigInt(data.length)
  h1 = (h1 + h2) & MASK
  h2 = (h2 + h1) & MASK
  h1 = mixed(h1)
  h2 = mixed(h2)
  h1 = (h1 + h2) & MASK
  h2 = (h2 + h1) & MASK
  return (h2 << 64n) | h1
}

const rotated = (word: bigint, by: bigint): bigint => ((word << by) | (word >> (64n - by))) & MASK
const first = (word: bigint): bigint => (rotated((word * C1) & MASK, 31n) * C2) & MASK
const second = (word: bigint): bigint => (rotated((word * C2) & MASK, 33n) * C1) & MASK

function mixed(word: bigint): bigint {
  let mixed = word
  mixed = ((mixed ^ (mixed >> 33n)) * 0xff51_afd7_ed55_8ccdn) & MASK
  mixed = ((mixed ^ (mixed >> 33n)) * 0xc4ce_b9fe_1a85_ec53n) & MASK
  return mixed ^ (mixed >> 33n)
}
