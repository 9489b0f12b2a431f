/** A float32 literal; the shortest decimals of the rounded number, so that WGSL reads back the same bits. */
export function floatLiteral(value: number): string {
  return `${Math.fround(value)}f`;
}

/** A literal of 32 unsigned bits. */
export function integerLiteral(value: number): string {
  return `${value >>> 0}u`;
}

/** A literal of 32 signed bits. */
export function signedLiteral(value: number): string {
  return value < 0 ? `(${value}i)` : `${value}i`;
}
