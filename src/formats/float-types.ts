/*
 * The floating-point types of the safetensors format, as float32. The format is little-endian, and so is every machine
 * that runs JavaScript.
 */

/** Bytes of a value of each type. */
export const floatBytes = { F32: 4, F16: 2, BF16: 2, F64: 8 } as const;

export type FloatType = keyof typeof floatBytes;

const converters: Readonly<Record<FloatType, (values: ArrayBuffer) => Float32Array>> = {
  F32: (values) => new Float32Array(values),
  F64: (values) => Float32Array.from(new Float64Array(values)),
  F16: (values) => Float32Array.from(new Uint16Array(values), halfValue),
  BF16(values) {
    const words = new Uint16Array(values);
    // The upper half of a float32's bits.
    return new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
  },
};

/**
 * Values as float32: those of F16 and BF16 exactly, those of F64 rounded to the nearest.
 * @param values the bytes of the values alone
 */
export function toFloat32(type: FloatType, values: ArrayBuffer): Float32Array {
  return converters[type](values);
}

/** The value of an IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
