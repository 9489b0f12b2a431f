/* Numbers in the binary format of WebAssembly. */

/** An unsigned integer in LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** The 32 bits of an integer in signed LEB128. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  while (rest < -0x40 || rest >= 0x40) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  return [...bytes, rest & 0x7f];
}

/** The eight bytes of a float64 number. */
export const float64 = (value: number): number[] => [...new Uint8Array(new Float64Array([value]).buffer)];

/** The four bytes of a 32-bit integer. */
export const word = (bits: number): number[] => [bits & 255, (bits >>> 8) & 255, (bits >>> 16) & 255, bits >>> 24];

/** A vector of the binary format: the number of entries, then the entries. */
export const list = (entries: readonly (readonly number[])[]): number[] => [
  ...unsigned(entries.length),
  ...entries.flat(),
];

/** A name of the binary format: its length, then its characters. */
export const text = (value: string): number[] => list(Array.from(value, (letter) => [letter.charCodeAt(0)]));
