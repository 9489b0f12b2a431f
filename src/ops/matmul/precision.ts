/** The precisions of a product's operands. Sums are float32 in both. */
export const precisions = ["float32", "float16"] as const;

export type Precision = (typeof precisions)[number];

/** The largest float16 number, and the smallest with all 11 binary digits. */
const LARGEST = 65_504;
const SMALLEST_NORMAL = 2 ** -14;

/** Adding and subtracting it rounds a smaller float64 to a whole number, ties to even. */
const WHOLE = 2 ** 52;

/**
 * Rounds a number as an operand in float16 (IEEE 754 binary16): to 11 binary digits, ties to even. Results beyond
 * ±65,504 are clipped, so that no finite number becomes infinite. Results below 2⁻¹⁴ become 0, because WGSL lets
 * devices flush subnormal numbers, and so all devices agree. Infinities and NaN are kept.
 */
export function toFloat16(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || !(magnitude < Infinity)) return value;
  const unit = 2 ** (Math.floor(Math.log2(magnitude)) - 10);
  const rounded = (magnitude / unit + WHOLE - WHOLE) * unit;
  return Math.sign(value) * (rounded < SMALLEST_NORMAL ? 0 : Math.min(rounded, LARGEST));
}
