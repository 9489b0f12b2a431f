import { parameter } from "../../graph/leaves.ts";
import { Random } from "../../random.ts";
import type { TuningCase } from "../kernel.ts";
import { matmul, type MatmulAttributes } from "./index.ts";
import { productClass, promisingTilings, tunedTilings } from "./webgpu-tilings.ts";

/** A product of two random matrices with these sizes, without leading axes, for the tuner. */
export function productCase(attributes: MatmulAttributes): TuningCase {
  const { rows, inner, columns, transposeLeft, transposeRight, precision } = attributes;
  const single = { rows, inner, columns, transposeLeft, transposeRight, precision };
  return {
    kernelClass: productClass(single),
    work: rows * inner * columns,
    choices: (limits) => tunedTilings(single, limits),
    promisingChoices: (limits) => promisingTilings(single, limits),
    build: () => randomProduct(single),
  };
}

function randomProduct({ rows, inner, columns, transposeLeft, transposeRight, precision }: MatmulAttributes) {
  const random = new Random(1);
  const drawn = (name: string, a: number, b: number) =>
    parameter(
      name,
      [a, b],
      Float32Array.from({ length: a * b }, () => random.uniform(-1, 1)),
    );
  const left = transposeLeft ? drawn("left", inner, rows) : drawn("left", rows, inner);
  const right = transposeRight ? drawn("right", columns, inner) : drawn("right", inner, columns);
  return matmul(left, right, { transposeLeft, transposeRight, precision });
}
