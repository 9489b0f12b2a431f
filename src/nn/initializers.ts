/*
 * Initializers of parameters. Values are drawn on the CPU, so every backend starts from the same bits.
 */
import { excerpt, OptionError } from "../errors.ts";
import { firstTooLarge } from "../float32.ts";
import { sizeOf, type Shape } from "../graph/tensor.ts";
import type { Random } from "../random.ts";
import { requireFloat32, requireNumber } from "./checks.ts";

/** The number of inputs per output of a layer, and of outputs per input. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Makes the initial values of a parameter, row-major. It uses no other randomness than `random`. */
export type Initializer = (shape: Shape, fans: Fans, random: Random) => Float32Array;

function drawn(shape: Shape, draw: () => number): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, draw);
}

/** All zeros, the usual initial value of biases. */
export const zeros: Initializer = (shape) => new Float32Array(sizeOf(shape));

/**
 * One finite value for all elements.
 * @throws OptionError for NaN and infinity
 */
export function constant(value: number): Initializer {
  requireFloat32("constant initializer", value);
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/**
 * Normal with mean 0 and the given standard deviation.
 * @throws OptionError for a standard deviation that is negative or not finite
 */
export function normal(deviation: number): Initializer {
  requireNumber("normal initializer", deviation, deviation >= 0, "a standard deviation of at least 0");
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

/** Uniform in ±√(6 / (fanIn + fanOut)), the "normalized initialization" (Glorot and Bengio 2010, equation 16). */
export const xavierUniform: Initializer = (shape, { fanIn, fanOut }, random) => {
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return drawn(shape, () => random.uniform(-limit, limit));
};

/** Normal with variance 2 / fanIn, for layers followed by a rectifier (He, Zhang, Ren and Sun 2015, equation 10). */
export const heNormal: Initializer = (shape, { fanIn }, random) =>
  drawn(shape, () => random.normal(0, Math.sqrt(2 / fanIn)));

/** Uniform in ±√(6 / fanIn), which has the same variance as `heNormal`. */
export const heUniform: Initializer = (shape, { fanIn }, random) => {
  const limit = Math.sqrt(6 / fanIn);
  return drawn(shape, () => random.uniform(-limit, limit));
};

/**
 * Uniform in ±1/√fanIn, for weights and biases, the default of PyTorch's Linear layers. Weights have a sixth of the
 * variance of `heUniform`: with few inputs, the first outputs are small and smooth.
 */
export const fanInUniform: Initializer = (shape, { fanIn }, random) => {
  const limit = 1 / Math.sqrt(fanIn);
  return drawn(shape, () => random.uniform(-limit, limit));
};

/**
 * Given values, row-major; the weight of a dense layer is [inputs, units].
 * @throws OptionError if `values` is not a list, or contains a finite number outside the range of float32; and, when
 * the layer is built, if their number does not match the parameter's shape
 */
export function given(values: ArrayLike<number>): Initializer {
  if (
    typeof (values as Partial<ArrayLike<number>> | null | undefined)?.length !== "number" ||
    typeof values === "string"
  ) {
    const what = `${excerpt(values)} is not a list of values`;
    throw new OptionError({ where: "given initializer", what, fix: "Give one value per element, row-major" });
  }
  const wrong = firstTooLarge(values);
  if (wrong !== undefined) requireFloat32("given initializer", wrong);
  return (shape) => {
    if (values.length !== sizeOf(shape)) {
      throw new OptionError({
        where: "given initializer",
        what: `${values.length} values for the shape [${shape.join(", ")}] of size ${sizeOf(shape)}`,
        fix: "Give one value per element, row-major",
      });
    }
    return Float32Array.from(values);
  };
}
