/*
 * A checksum of the contents of a model file, which detects damaged values. It is the 32-bit MurmurHash3: it always
 * detects a change within one 4-byte word, and it reads two gigabytes per second, which a CRC in JavaScript does not.
 * SHA-256 would also detect intentional changes, but browsers compute it only asynchronously, and whoever changes a
 * file on purpose can also change its digest. The digest covers the contents and not the bytes: another program may
 * write the same tensors in another order.
 */
import type { NamedTensor } from "./safetensors.ts";

/** The key of the digest in a file's metadata. */
export const DIGEST = "digest";

/** MurmurHash3 (x86, 32 bits, seed 0) of the concatenated words of several arrays. */
export function murmurHash(parts: Iterable<Uint32Array>): number {
  let hash = 0;
  let bytes = 0;
  for (const words of parts) {
    bytes += words.byteLength;
    for (let index = 0; index < words.length; index++) {
      const product = Math.imul(words[index]!, 0xcc9e2d51);
      hash ^= Math.imul((product << 15) | (product >>> 17), 0x1b873593);
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    }
  }
  hash ^= bytes;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The digest of all names, shapes and values, and of the metadata except the digest itself. */
export function digestOf(tensors: Iterable<NamedTensor>, metadata: Readonly<Record<string, string>>): string {
  return `murmur3:${murmurHash(wordsOf([...tensors], metadata))
    .toString(16)
    .padStart(8, "0")}`;
}

function* wordsOf(tensors: NamedTensor[], metadata: Readonly<Record<string, string>>): Generator<Uint32Array> {
  const entries = Object.entries(metadata).filter(([key]) => key !== DIGEST);
  yield textWords(entries.sort(([a], [b]) => compare(a, b)));
  for (const { name, shape, values } of tensors.sort((a, b) => compare(a.name, b.name))) {
    yield textWords([name, shape]);
    yield new Uint32Array(values.buffer, values.byteOffset, values.length);
  }
}

/** A value as JSON in UTF-8, padded with zeros to whole words. */
function textWords(value: unknown): Uint32Array {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}

/** Compares by code units, independent of the language. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
