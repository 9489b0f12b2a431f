/*
 * Integers that a generated function computes for each element of a chain: positions in tensors, and values of uint32
 * tensors. They are plain trees. The backend determines which of them are constant along a row of elements, and which
 * grow by a constant step, so that adjacent elements can be read as one vector.
 */
import type { Tensor } from "../../graph/tensor.ts";
import type { Vector } from "./vectors.ts";

/** An unsigned 32-bit integer that depends on the element. All its values are below `limit`. */
export type Index = { readonly limit: number } & (
  | { readonly kind: "element" }
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "sum"; readonly left: Index; readonly right: Index }
  | { readonly kind: "product" | "quotient" | "remainder"; readonly of: Index; readonly by: number }
  /** `below` if the integer is below a number, otherwise `otherwise`. */
  | {
      readonly kind: "choice";
      readonly of: Index;
      readonly by: number;
      readonly below: Index;
      readonly otherwise: Index;
    }
  /** An element of a uint32 tensor in memory. */
  | { readonly kind: "stored"; readonly tensor: Tensor; readonly index: Index }
  /** The integers in the lanes of a vector. */
  | { readonly kind: "lanes"; readonly vector: Vector }
);

const LIMIT = 2 ** 32;

/** The current element of a chain of `size` elements. */
export const elementOf = (size: number): Index => ({ kind: "element", limit: size });

export const constantIndex = (value: number): Index => ({ kind: "constant", value, limit: value + 1 });

export const lanesIndex = (vector: Vector): Index => ({ kind: "lanes", vector, limit: LIMIT });

export const storedIndex = (tensor: Tensor, index: Index): Index => ({ kind: "stored", tensor, index, limit: LIMIT });

export function sum(left: Index, right: Index): Index {
  if (left.kind === "constant" && right.kind === "constant") return constantIndex((left.value + right.value) >>> 0);
  if (left.kind === "constant" && left.value === 0) return right;
  if (right.kind === "constant" && right.value === 0) return left;
  return { kind: "sum", left, right, limit: Math.min(LIMIT, left.limit + right.limit - 1) };
}

export function product(of: Index, by: number): Index {
  if (by === 1) return of;
  if (by === 0) return constantIndex(0);
  if (of.kind === "constant") return constantIndex(Math.imul(of.value, by) >>> 0);
  return { kind: "product", of, by, limit: Math.min(LIMIT, (of.limit - 1) * by + 1) };
}

/** The quotient, rounded down. */
export function quotient(of: Index, by: number): Index {
  if (by === 1) return of;
  if (of.limit <= by) return constantIndex(0);
  if (of.kind === "constant") return constantIndex(Math.floor(of.value / by));
  return { kind: "quotient", of, by, limit: Math.ceil(of.limit / by) };
}

export function remainder(of: Index, by: number): Index {
  if (by === 1) return constantIndex(0);
  if (of.limit <= by) return of;
  if (of.kind === "constant") return constantIndex(of.value % by);
  return { kind: "remainder", of, by, limit: by };
}

/** `below` if the integer is below a number, otherwise `otherwise`. */
export function choice(of: Index, by: number, below: Index, otherwise: Index): Index {
  if (of.limit <= by) return below;
  if (of.kind === "constant") return of.value < by ? below : otherwise;
  return { kind: "choice", of, by, below, otherwise, limit: Math.max(below.limit, otherwise.limit) };
}

/** An integer minus a number. Negative differences wrap around to values near 2³². */
export function difference(of: Index, by: number): Index {
  const left = sum(of, constantIndex(-by >>> 0));
  return left.kind === "sum" ? { ...left, limit: LIMIT } : left;
}
