/*
 * Values of parameters before the first step. They are drawn on the CPU, so every backend starts from the same bits.
 */
import { excerpt, OptionError } from "../errors.ts";
import { firstTooLarge } from "../float32.ts";
import { sizeOf, type Shape } from "../graph/tensor.ts";
import type { Random } from "../random.ts";
import { requireFloat32, requireNumber } from "./checks.ts";

/** How many inputs one output of the layer has, and how many outputs one input reaches. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Makes the values of a parameter, row-major; it draws from `random` only. */
export type Initializer = (shape: Shape, fans: Fans, random: Random) => Float32Array;

function drawn(shape: Shape, draw: () => number): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, draw);
}

/** All zeros: the usual start of biases. */
export const zeros: Initializer = (shape) => new Float32Array(sizeOf(shape));

/**
 * The same finite value everywhere.
 * @throws OptionError for NaN and infinity
 */
export function constant(value: number): Initializer {
  requireFloat32("constant initializer", value);
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/**
 * Normal with mean 0 and the given standard deviation.
 * @throws OptionError for a deviation that is negative or not finite
 */
export function normal(deviation: number): Initializer {
  requireNumber("normal initializer", deviation, deviation >= 0, "a deviation of at least 0");
  requireFloat32("normal initializer", deviation);
  return (shape, _, random) => drawn(shape, () => random.normal(0, deviation));
}

/**
 * Uniform in [−limit, limit).
 * @throws OptionError for a limit that is negative or not finite
 */
export function uniform(limit: number): Initializer {
  requireNumber("uniform initializer", limit, limit >= 0, "a limit of at least 0");
  requireFloat32("uniform initializer", limit);
  return (shape, _, random) => drawn(shape, () => random.uniform(-limit, limit));
}

/** Normal with variance 2 / (fanIn + fanOut) (Glorot and Bengio 2010, equation 12). */
export const xavierNormal: Initializer = (shape, { fanIn, fanOut }, random) =>
  drawn(shape, () => random.normal(0, Math.sqrt(2 / (fanIn + fanOut))));

/** Uniform within ±√(6 / (fanIn + fanOut)), the "normalized initialization" (Glorot and Bengio 2010, equation 16). */
export const xavierUniform: Initializer = (shape, { fanIn, fanOut }, random) => {
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return drawn(shape, () => random.uniform(-limit, limit));
};

/** Normal with variance 2 / fanIn, for layers before a rectifier (He, Zhang, Ren and Sun 2015, equation 10). */
export const heNormal: Initializer = (shape, { fanIn }, random) =>
  drawn(shape, () => random.normal(0, Math.sqrt(2 / fanIn)));

/** Uniform within ±√(6 / fanIn), which has the variance of `heNormal`. */
export const heUniform: Initializer = (shape, { fanIn }, random) => {
  const limit = Math.sqrt(6 / fanIn);
  return drawn(shape, () => random.uniform(-limit, limit));
};

/**
 * Uniform within ±1/√fanIn, for weights and for biases, as PyTorch starts its Linear layers. The weights have a sixth of
 * the variance of `heUniform`: with few inputs the first outputs are small and smooth.
 */
export const fanInUniform: Initializer = (shape, { fanIn }, random) => {
  const limit = 1 / Math.sqrt(fanIn);
  return drawn(shape, () => random.uniform(-limit, limit));
};

/**
 * Values that the caller has, row-major; a dense layer's weight is [inputs, units].
 * @throws OptionError for no list, for a finite number that float32 does not hold and, when the layer is built, where their number is not the parameter's
 */
export function given(values: ArrayLike<number>): Initializer {
  if (
    typeof (values as Partial<ArrayLike<number>> | null | undefined)?.length !== "number" ||
    typeof values === "string"
  ) {
    const what = `${excerpt(values)} is no list of values`;
    throw new OptionError({ where: "given initializer", what, fix: "Give one value per element, row after row" });
  }
  const wrong = firstTooLarge(values);
  if (wrong !== undefined) requireFloat32("given initializer", wrong);
  return (shape) => {
    if (values.length !== sizeOf(shape)) {
      throw new OptionError({
        where: "given initializer",
        what: `${values.length} values for shape [${shape.join(", ")}], which holds ${sizeOf(shape)}`,
        fix: "Give one value per element, row after row",
      });
    }
    return Float32Array.from(values);
  };
}
