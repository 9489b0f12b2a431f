import { parameter } from "../../graph/leaves.ts";
import { sizeOf, Tensor } from "../../graph/tensor.ts";
import { Random } from "../../random.ts";
import type { TuningCase } from "../kernel.ts";
import { reshape } from "../layout/index.ts";
import { batchCount } from "./batches.ts";
import { matmul, type MatrixProduct } from "./index.ts";
import { promisingTilings, tunedTilings } from "./webgpu-candidates.ts";
import { productClass } from "./webgpu-tilings.ts";

/**
 * A product of two random operands for the tuner: with the same sizes, leading axes and transposes, and with operands that are
 * computed in the same way.
 */
export function productCase(product: MatrixProduct): TuningCase {
  const { rows, inner, columns, batch } = product;
  return {
    kernelClass: productClass(product),
    work: batchCount(batch) * rows * inner * columns,
    choices: (limits) => tunedTilings(product, limits),
    promisingChoices: (limits) => promisingTilings(product, limits),
    build: () => randomProduct(product),
  };
}

/** So many random numbers, a prime, fill operands of any size: they are repeated, since drawing millions takes tenths of a second. */
const DRAWN = 4093;

function randomProduct(product: MatrixProduct): Tensor {
  const { rows, inner, columns, transposeLeft, transposeRight, precision, batch, virtual } = product;
  const random = new Random(1);
  const drawn = Float32Array.from({ length: DRAWN }, () => random.uniform(-1, 1));
  const leaf = (name: string, shape: readonly number[]) => parameter(name, shape, repeated(drawn, sizeOf(shape)));
  const leading = (side: "left" | "right") =>
    batch ? batch.sizes.map((size, axis) => (batch[side][axis] === 0 ? 1 : size)) : [];
  const operand = (side: "left" | "right", along: number, across: number) => {
    const shape = [...leading(side), along, across];
    const computed = virtual?.[side];
    if (!computed) return leaf(side, shape);
    const inputs = computed.inputs.map((input, position) => leaf(`${side} ${position}`, input.shape));
    return reshape(new Tensor(computed.op, inputs, computed.attributes, computed), shape);
  };
  const left = transposeLeft ? operand("left", inner, rows) : operand("left", rows, inner);
  const right = transposeRight ? operand("right", columns, inner) : operand("right", inner, columns);
  return matmul(left, right, { transposeLeft, transposeRight, precision });
}

function repeated(values: Float32Array, size: number): Float32Array {
  const all = new Float32Array(size);
  for (let start = 0; start < size; start += values.length) all.set(values.subarray(0, size - start), start);
  return all;
}
