/*
 * The bits of IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits.
 */

/** Adding and subtracting it rounds a smaller float64 to an integer, ties to even. */
const WHOLE = 2 ** 52;

/** The value of float16 bits. */
export function valueOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/**
 * The bits of the nearest float16, ties to even. Numbers below 2⁻¹⁴ are subnormal, and numbers that round beyond
 * ±65,504 become infinite.
 */
export function halfOf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(magnitude)) return 0x7e00;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  // In units of the last place, a normal number is 1024 … 2047, and a carry correctly increases the exponent.
  const units = magnitude === Infinity ? Infinity : magnitude / 2 ** (exponent - 10) + WHOLE - WHOLE;
  const bits = units < 1024 ? units : (exponent + 14) * 1024 + units;
  return sign | Math.min(bits, 0x7c00);
}
