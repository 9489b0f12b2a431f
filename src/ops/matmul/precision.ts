/** The largest float16 number, and the smallest normal one. */
const LARGEST = 65_504;
const SMALLEST_NORMAL = 2 ** -14;

/** Adding and subtracting it rounds a smaller float64 to an integer, ties to even. */
const WHOLE = 2 ** 52;

/**
 * Rounds a number to a float16 operand (IEEE 754 binary16): to 11 significant bits, ties to even. Results beyond
 * ±65,504 are clamped, so that no finite number becomes infinite. Results below 2⁻¹⁴ become 0: WGSL lets devices flush
 * subnormal numbers, and this way all devices agree. Infinities and NaN are preserved.
 */
export function toFloat16(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || !(magnitude < Infinity)) return value;
  const unit = 2 ** (Math.floor(Math.log2(magnitude)) - 10);
  const rounded = (magnitude / unit + WHOLE - WHOLE) * unit;
  return Math.sign(value) * (rounded < SMALLEST_NORMAL ? 0 : Math.min(rounded, LARGEST));
}
