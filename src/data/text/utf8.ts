import { DataError } from "../../errors.ts";

/**
 * Decodes UTF-8. A byte order mark at the start is left out.
 * @param where the name of the file, for messages
 * @throws DataError with the offset of the first byte that is not valid
 */
export function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const offset = firstInvalid(bytes);
    if (offset === undefined) {
      const what = `the text of ${bytes.length} bytes is too long for a string`;
      throw new DataError({ where, what, fix: "Divide it into several files" }, { cause });
    }
    const what = `the byte 0x${bytes[offset]!.toString(16).padStart(2, "0")} at offset ${offset} is not valid UTF-8`;
    throw new DataError({ where, what, fix: "Convert the file to UTF-8" }, { cause });
  }
}

/** The offset of the first character that is not valid, of which a prefix may be; undefined if all are valid. */
function firstInvalid(bytes: Uint8Array): number | undefined {
  for (let offset = 0; offset < bytes.length;) {
    const length = validLength(bytes, offset);
    if (length === 0) return offset;
    offset += length;
  }
  return undefined;
}

/** The number of bytes of the valid character at an offset, or 0 (Unicode 15, table 3-7). */
function validLength(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  for (let place = 1; place < length; place++) {
    const byte = bytes[offset + place] ?? 0;
    if (byte < (place === 1 ? lowest : 0x80) || byte > (place === 1 ? highest : 0xbf)) return 0;
  }
  return length;
}
