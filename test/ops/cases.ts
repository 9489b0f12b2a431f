/*
 * What a case of the ops' tests is. test/ops/<family>.cases.ts export `cases`; test/ops/all-cases.ts finds them, so
 * that a new op adds one file. Every case serves four tests: gradients, parity, mutation and completeness.
 */
import type { NumericArray } from "../../src/backends/backend.ts";
import type { DType, Shape, Tensor } from "../../src/graph/tensor.ts";
import type { Random } from "../../src/random.ts";

/** Draws the elements of one input. */
export type Draw = (random: Random, size: number) => ArrayLike<number>;

export interface InputSpec {
  readonly shape: Shape;
  /** float32 if absent. */
  readonly dtype?: DType;
  /** For the gradient check, values must be at least GAP from kinks and ties. */
  readonly draw: Draw;
  /** Values that are put at elements 1, 3, 5, … when the GPU is compared with the CPU: kinks, ties, large arguments. */
  readonly special?: readonly number[];
}

/** The values of a case's inputs, by name. */
export type InputValues = Readonly<Record<string, NumericArray>>;

/**
 * How far a result may be from the float64 reference: c · 2⁻²⁴ · √joined · scale + functionError, for each element.
 * One correctly rounded operation has c = 2: WGSL lets it round either way.
 */
export interface Tolerance {
  /** At most 16. */
  readonly c: number;
  /** K: the number of products or sums in one element; 1 if absent. */
  readonly joined?: number;
  /** The |reference| that the bound is relative to: the largest of the output (default), or each element's own. */
  readonly scale?: "largest" | "each";
  /**
   * The size of one joined term. The largest |reference| is taken for at least √joined of it, since the sum of
   * terms of either sign may by chance be nothing.
   */
  readonly term?: number;
  /** The errors that WGSL's accuracy table allows for the functions in the op (test/ops/accuracy.ts). */
  functionError?(reference: number, element: number, inputs: InputValues): number;
}

export interface OpCase<Name extends string = string> {
  readonly name: string;
  /** The exported functions of src/ops that the case tests. */
  readonly covers: readonly string[];
  readonly inputs: Readonly<Record<Name, InputSpec>>;
  build(inputs: Readonly<Record<Name, Tensor>>): Tensor;
  /** Draws the weights of the output's elements in the sum that is differentiated; in ±[0.5, 1.5] if absent. */
  readonly upstream?: Draw;
  /**
   * The inputs that a gradient flows to, each with the number of terms that one element of its gradient joins. Every
   * shape is a kernel of its own to compile, so that a large case names none unless it is about the gradient.
   */
  readonly differentiable?: Readonly<Partial<Record<Name, number>>>;
  /** "exact": the same float32, for ops that do not round. Integers are always compared exactly. */
  readonly tolerance: Tolerance | "exact";
  /** For gradients on the GPU, if it differs from `gradientTolerance` below. */
  readonly gradientTolerance?: Partial<Tolerance>;
  /** Too large for central differences, or at kinks: only the GPU is compared, and the gradient is not checked. */
  readonly parityOnly?: boolean;
}

/** Infers the names of the inputs, so that `build` has their types. */
export function opCase<Name extends string>(definition: OpCase<Name>): OpCase {
  return definition as unknown as OpCase;
}

/**
 * A gradient is a chain of a few operations on values of order 1, and one that joins several terms may cancel to
 * nothing: its scale is at least √joined.
 */
export const gradientTolerance = (joined: number): Tolerance => ({ c: 16, joined, term: joined > 1 ? 1 : 0 });

/** Correctly rounded, without other errors. */
export const ROUNDED: Tolerance = { c: 2, scale: "each" };

/** The minimum distance from kinks and ties: central differences reach 2 · STEP from a point. */
export const GAP = 0.01;

export const uniform =
  (low: number, high: number): Draw =>
  (random, size) =>
    Array.from({ length: size }, () => random.uniform(low, high));

/** Uniform, at least GAP away from a kink at 0. */
export const awayFromZero =
  (range: number): Draw =>
  (random, size) =>
    Array.from({ length: size }, () => random.uniform(GAP, range) * (random.below(2) === 0 ? 1 : -1));

/** Uniform integers below `count`. */
export const integersBelow =
  (count: number): Draw =>
  (random, size) =>
    Array.from({ length: size }, () => random.below(count));

/** Integers from −3 to 3, so that comparisons and maxima have ties. */
export const tied: Draw = (random, size) => Array.from({ length: size }, () => random.below(7) - 3);

/** Distinct numbers around 0 in random order, at least 4 · GAP apart. */
export const distinct: Draw = (random, size) =>
  Array.from(random.permutation(size), (place) => (place - size / 2) * 5 * GAP + random.uniform(0, GAP));

/**
 * Multiples of 10 · GAP, shifted by `shift` and a little more: two inputs with shifts 5 · GAP apart have no ties
 * between them.
 */
export const grid =
  (shift: number): Draw =>
  (random, size) =>
    Array.from({ length: size }, () => (random.below(41) - 20) * 10 * GAP + shift + random.uniform(0, GAP));

export const exactly =
  (...values: number[]): Draw =>
  () =>
    values;

/** A random permutation of 0 … size − 1. */
export const permutation: Draw = (random, size) => random.permutation(size);
