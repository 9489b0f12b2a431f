/** A float32 literal: the shortest decimal representation that WGSL parses to the same bits. */
export function floatLiteral(value: number): string {
  return `${Math.fround(value)}f`;
}

/** A literal of an unsigned 32-bit integer. */
export function integerLiteral(value: number): string {
  return `${value >>> 0}u`;
}

/** A literal of 32 signed bits. */
export function signedLiteral(value: number): string {
  return value < 0 ? `(${value}i)` : `${value}i`;
}
