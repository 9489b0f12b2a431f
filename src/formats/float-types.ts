/*
 * Converts the floating-point types of the safetensors format to float32. The format is little-endian, as are all
 * machines that run JavaScript.
 */
import { valueOfHalf } from "../float16.ts";

/** The size of each type in bytes. */
export const floatBytes = { F32: 4, F16: 2, BF16: 2, F64: 8 } as const;

export type FloatType = keyof typeof floatBytes;

const converters: Readonly<Record<FloatType, (values: ArrayBuffer) => Float32Array>> = {
  F32: (values) => new Float32Array(values),
  F64: (values) => Float32Array.from(new Float64Array(values)),
  F16: (values) => Float32Array.from(new Uint16Array(values), valueOfHalf),
  BF16(values) {
    const words = new Uint16Array(values);
    // bfloat16 is the upper half of a float32.
    return new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
  },
};

/**
 * Converts values to float32: exact for F16 and BF16, rounded to nearest for F64.
 * @param values the bytes of the values only
 */
export function toFloat32(type: FloatType, values: ArrayBuffer): Float32Array {
  return converters[type](values);
}
