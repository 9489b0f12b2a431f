import { expect, test } from "vitest";
import { GraphError } from "../../src/errors.ts";
import { constant, input } from "../../src/graph/leaves.ts";
import { multiply, square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { batchNorm } from "../../src/ops/normalization/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { compareGradients, LARGEST_DIFFERENCE, numericGradients } from "./gradient-check.ts";

test("the gradient of batchNorm can itself be differentiated, as a penalty on gradients needs", async () => {
  const leaves = { x: input("x", [5, 2]), weight: input("weight", [2]), bias: input("bias", [2]) };
  const { x, weight, bias } = leaves;
  const random = new Random(5);
  const draw = (size: number) => Float64Array.from({ length: size }, () => random.uniform(-2, 2));
  const { values } = batchNorm(x, { affine: { weight, bias } });
  const [slope] = gradients(sum(multiply(square(values), constant([...draw(10)], [5, 2]))), [x]);
  const loss = sum(square(slope));
  const question = {
    loss,
    leaves,
    values: { x: draw(10), weight: draw(2), bias: draw(2) },
    names: ["x", "weight", "bias"],
  };
  const [dx, dw, db] = gradients(loss, [x, weight, bias]);
  const worst = await compareGradients(question, { x: dx, weight: dw, bias: db }, await numericGradients(question));
  expect(worst.difference, JSON.stringify(worst)).toBeLessThanOrEqual(LARGEST_DIFFERENCE);
});

test("batchNorm refuses one value per channel, and factors of another shape", () => {
  expect(() => batchNorm(constant([1, 2, 3], [1, 3]))).toThrow(GraphError);
  expect(() => batchNorm(constant([1, 2, 3], [1, 3]))).toThrow("has one value per channel");
  expect(() => batchNorm(constant(1))).toThrow(GraphError);
  const x = constant([1, 2, 3, 4], [2, 2]);
  const weight = constant([1, 2, 3]);
  expect(() => batchNorm(x, { affine: { weight, bias: weight } })).toThrow("Give float32 [2]");
  expect(() => batchNorm(constant([1, 2], [2, 1], "uint32"))).toThrow(GraphError);
});
