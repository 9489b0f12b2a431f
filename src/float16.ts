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

/** The values of all float16 bits; made when they are first needed. */
let halves: Float64Array | undefined;

/** `valueOfHalf(bits) · scale` of many bits: a table is twenty times as fast as computing each. */
export function valuesOfHalves(bits: Uint16Array, scale: number): Float32Array {
  halves ??= Float64Array.from({ length: 2 ** 16 }, (_, each) => valueOfHalf(each));
  const values = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index++) values[index] = halves[bits[index]!]! * scale;
  return values;
}

/** The bits of 2⁻¹⁴, the smallest normal float16, and of 2¹⁶, which is beyond the largest, as float32. */
const [SMALLEST_NORMAL, BEYOND] = [0x38800000, 0x47800000];

/** `halfOf(value · scale)` of many values, by integers, which is many times as fast; `scale` must be a power of two. */
export function halvesOf(values: Float32Array, scale: number): Uint16Array {
  const bits = new Uint16Array(values.length);
  const float = new Float32Array(1);
  const word = new Uint32Array(float.buffer);
  for (let index = 0; index < values.length; index++) {
    // A product that float32 cannot represent is far below the smallest float16, or beyond the largest.
    float[0] = values[index]! * scale;
    const magnitude = word[0]! & 0x7fffffff;
    bits[index] = magnitude > 0x7f800000 ? 0x7e00 : ((word[0]! >>> 16) & 0x8000) | magnitudeBits(magnitude);
  }
  return bits;
}

/** The float16 bits of the nearest number, ties to even, from the float32 bits of a number without its sign. */
function magnitudeBits(magnitude: number): number {
  if (magnitude >= BEYOND) return 0x7c00;
  // The bias of the exponents differs by 112. A carry correctly increases the exponent.
  if (magnitude >= SMALLEST_NORMAL) return (magnitude - (112 << 23) + 0xfff + ((magnitude >> 13) & 1)) >> 13;
  const shift = 126 - (magnitude >> 23);
  if (shift > 24) return 0;
  const digits = (magnitude & 0x7fffff) | 0x800000;
  const [units, rest, half] = [digits >> shift, digits & ((1 << shift) - 1), 1 << (shift - 1)];
  return units + (rest > half || (rest === half && (units & 1) === 1) ? 1 : 0);
}
