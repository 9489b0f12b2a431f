import { excerpt, GraphError } from "../../errors.ts";
import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";

/** The options of `toIndex`. */
export interface ToIndexOptions {
  /**
   * For indices that are given as float32, the exclusive upper limit, at most 2²⁴, up to which whole numbers are exact.
   * Sessions refuse to write other values than whole numbers in 0 … below − 1 to a tensor that is converted. Computed
   * numbers are not known to the host; those beyond the limit become below − 1. No limit by default.
   */
  readonly below?: number;
}

const toIndexOp: ComputeOp = {
  name: "toIndex",
  kind: "compute",
  traits: { kind: "pointwise" },
  indexLimits: ({ attributes }) => [(attributes as ToIndexOptions).below],
};

/**
 * Converts float32 to uint32 by rounding down, for indices. Negative numbers and NaN become 0, and numbers above 2³² − 1
 * become 2³² − 1. It has no gradient.
 * @throws GraphError for another type, or a limit that is not a whole number in 1 … 2²⁴
 */
export function toIndex(x: Tensor, { below }: ToIndexOptions = {}): Tensor {
  requireType("toIndex", x, "float32");
  if (below !== undefined && !(Number.isInteger(below) && below >= 1 && below <= 2 ** 24)) {
    const what = `the limit is ${excerpt(below)}`;
    throw new GraphError({ where: "toIndex below", what, fix: "Give a whole number in 1 … 2²⁴" });
  }
  const attributes = below === undefined ? {} : { below };
  return new Tensor<ToIndexOptions>(toIndexOp, [x], attributes, { shape: x.shape, dtype: "uint32" });
}
