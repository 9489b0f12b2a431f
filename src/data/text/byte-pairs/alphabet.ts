/*
 * Byte-level byte-pair encoding writes each byte as one printable character, as in GPT-2's `bytes_to_unicode`, and
 * divides text into pieces, within which bytes are merged.
 */

const isPrintable = (byte: number) =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

/** The character of each byte: the byte's own in Latin-1 if it is printable, otherwise the next one from U+0100 on. */
export const byteCharacters: readonly string[] = (() => {
  let other = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : other++));
})();

/** GPT-2's pattern: contractions, words, numbers and punctuation with the space before them, and white space. */
export const piecePattern = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** The size of the parts in which a long text is encoded, so that a list of all its pieces is never in memory. */
const PART = 2 ** 20;

/**
 * Divides a long text where the pieces of the pattern end on both sides: after a line break between characters that are
 * not white space.
 * @param size the fewest characters of a part, except the last one
 */
export function* partsOf(text: string, size = PART): Generator<string> {
  const lineBreak = /(?<=\S)\n(?=\S)/g;
  let start = 0;
  while (text.length - start > size) {
    lineBreak.lastIndex = start + size;
    const found = lineBreak.exec(text);
    if (!found) break;
    yield text.slice(start, found.index + 1);
    start = found.index + 1;
  }
  if (start < text.length) yield text.slice(start);
}
