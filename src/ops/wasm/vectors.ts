/*
 * Vectors of four lanes, one lane for each of four adjacent elements, as plain trees of WebAssembly's own instructions.
 * A subtree that several nodes share is computed once.
 */
import type { Tensor } from "../../graph/tensor.ts";
import type { Index } from "./indices.ts";
import type { VectorInstruction } from "./instructions.ts";

/** The vector functions that assembly/math.ts exports, with their number of arguments. */
export const MATH_ARITY = {
  exp4: 1,
  log4: 1,
  pow4: 2,
  tanh4: 1,
  normalBelow4: 1,
  sin4: 1,
  cos4: 1,
  remainder4: 2,
} as const;

export type MathFunction = keyof typeof MATH_ARITY;

/** The names in the order in which generated modules import them. */
export const MATH_FUNCTIONS = Object.keys(MATH_ARITY) as readonly MathFunction[];

/** Computes one element in float64. A generated function calls it on the calling thread. */
export type HostFunction = (...values: number[]) => number;

/** Four lanes of float32 numbers, of uint32 numbers, or of masks (all bits 1 or all 0). */
export type Vector =
  /** The same 32 bits in every lane. */
  | { readonly kind: "constant"; readonly bits: number }
  /** Four elements of a tensor in memory. Bytes are converted to float32. */
  | { readonly kind: "load"; readonly tensor: Tensor; readonly index: Index }
  /** An integer for each of four elements. */
  | { readonly kind: "integers"; readonly index: Index }
  | { readonly kind: "instruction"; readonly name: VectorInstruction; readonly inputs: readonly Vector[] }
  /** Shifts every lane by the same number of bits. */
  | { readonly kind: "shift"; readonly name: ShiftInstruction; readonly input: Vector; readonly bits: number }
  | { readonly kind: "math"; readonly name: MathFunction; readonly inputs: readonly Vector[] }
  /** A JavaScript function called for each lane. */
  | {
      readonly kind: "host";
      readonly compute: HostFunction;
      readonly inputs: readonly Vector[];
      readonly takesIntegers: boolean;
      readonly parameters: readonly number[];
    };

export type ShiftInstruction = "i32x4.shl" | "i32x4.shr_s" | "i32x4.shr_u";

/** The same float32 number in every lane. */
export const float = (value: number): Vector => ({ kind: "constant", bits: bitsOf(value) });

/** The same unsigned 32-bit integer in every lane. */
export const bits = (value: number): Vector => ({ kind: "constant", bits: value >>> 0 });

function bitsOf(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0]!;
}

/** One vector instruction. A number stands for the same float32 number in every lane. */
export const instruction = (name: VectorInstruction, ...inputs: readonly (Vector | number)[]): Vector => ({
  kind: "instruction",
  name,
  inputs: inputs.map(asVector),
});

export const shift = (name: ShiftInstruction, input: Vector, by: number): Vector => ({
  kind: "shift",
  name,
  input,
  bits: by,
});

export const math = (name: MathFunction, ...inputs: readonly (Vector | number)[]): Vector => ({
  kind: "math",
  name,
  inputs: inputs.map(asVector),
});

const asVector = (value: Vector | number): Vector => (typeof value === "number" ? float(value) : value);
