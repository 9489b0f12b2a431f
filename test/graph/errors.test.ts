import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input, parameter, state } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { add, leakyRelu, less, relu, square, tanh } from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { pack } from "../../src/ops/layout/index.ts";
import { argmax, sum } from "../../src/ops/reduce/index.ts";
import { refuses } from "../ops/refusals.ts";

const x = (...shape: number[]) => input("x", shape);
const y = (...shape: number[]) => input("y", shape);

/** A value that JavaScript code may pass instead of a tensor. */
const nothing = null as never;

const GIVE = "Give a tensor that input, parameter or an op returned.";

const unknownGradient = (op: string) =>
  `gradients: the gradient of ${op} is not known, and the loss depends through it on w float32[3]. ` +
  `Use ${op} only on values without gradients, or express it with other ops.`;

describe("leaves and graphs", () => {
  const AXES = "Every axis must be a whole number of at least 1.";
  const EACH = "Give one value per element, row-major.";
  const weights = parameter("w", [2, 3]);
  const updates =
    (...pairs: [Tensor, Tensor][]) =>
    () =>
      defineGraph(
        {},
        pairs.map(([target, value]) => ({ target, value })),
      );
  refuses([
    ["an empty axis", () => input("x", [3, 0]), `input: shape [3, 0] has an axis of size 0. ${AXES}`],
    ["a fractional axis", () => parameter("w", [2.5]), `parameter: shape [2.5] has an axis of size 2.5. ${AXES}`],
    [
      "more elements than WGSL can index",
      () => input("x", [2 ** 16, 2 ** 16]),
      "input: shape [65536, 65536] has more than 2^32 - 1 elements. Use a smaller batch or width.",
    ],
    [
      "too few initial values",
      () => parameter("w", [2, 3], [1, 2]),
      `parameter w: 2 initial values for the shape [2, 3] of size 6. ${EACH}`,
    ],
    [
      "too many initial values",
      () => state("m", [1], [1, 2]),
      `state m: 2 initial values for the shape [1] of size 1. ${EACH}`,
    ],
    ["too few constants", () => constant([1, 2], [3]), `constant: 2 values for the shape [3]. ${EACH}`],
    [
      "an infinite constant",
      () => constant([1, -Infinity]),
      "constant: float32 cannot represent the number -Infinity. Use a finite number in the range of float32 (±3.4e38).",
    ],
    [
      "an update with another shape",
      updates([weights, x(3, 2)]),
      "update: w float32[2, 3] cannot be set to x float32[3, 2]. The shapes must be equal.",
    ],
    [
      "an update of a computed value",
      updates([relu(x(3)), y(3)]),
      "update: relu float32[3] is not stored between steps. Update a parameter or a state.",
    ],
    [
      "two updates of the same leaf",
      updates([weights, x(2, 3)], [weights, y(2, 3)]),
      "update: w float32[2, 3] is updated twice. Update each leaf once.",
    ],
    [
      "two updates of the same leaf, one of them in a pack",
      updates([weights, x(2, 3)], [pack([weights]), y(64)]),
      "update: w float32[2, 3] is updated twice. Update each leaf once.",
    ],
  ]);
});

describe("gradients", () => {
  const USE = "Use the tensor in the loss, not only through comparisons, argmax or as labels.";
  const weights = parameter("w", [3]);
  refuses([
    [
      "of a vector",
      () => gradients(relu(weights), [weights]),
      "gradients: the loss relu float32[3] is not a scalar. Reduce it with mean or sum first.",
    ],
    [
      "of an index",
      () => gradients(argmax(weights), [weights]),
      "gradients: the loss reshape uint32[] is not a scalar. Reduce it with mean or sum first.",
    ],
    [
      "with respect to a tensor that the loss does not use",
      () => gradients(sum(x(3)), [weights]),
      "gradients: the loss reshape float32[] does not depend on w float32[3]. Use the tensor in the loss, or do not ask for its gradient.",
    ],
    [
      "through a comparison",
      () => gradients(sum(less(weights, 0)), [weights]),
      `gradients: no gradient flows from reshape float32[] to w float32[3]. ${USE}`,
    ],
    [
      "through takeBatch",
      () => gradients(sum(takeBatch(weights, { start: constant(0, [], "uint32"), count: 2 })), [weights]),
      unknownGradient("takeBatch"),
    ],
    [
      "through takeBatch and another path, which alone would give a partial gradient",
      () => gradients(sum(add(takeBatch(weights, { start: constant(0, [], "uint32"), count: 3 }), weights)), [weights]),
      unknownGradient("takeBatch"),
    ],
    [
      "twice through an activation",
      () => gradients(sum(gradients(sum(tanh(weights)), [weights])[0]), [weights]),
      unknownGradient("tanhDerivative"),
    ],
    ["through a pack", () => gradients(sum(pack([weights])), [weights]), unknownGradient("pack")],
    ["of nothing", () => gradients(nothing, [weights]), `gradients loss: null is not a tensor. ${GIVE}`],
    [
      "with respect to something that is not a list",
      () => gradients(sum(weights), nothing),
      "gradients: null is not a list of tensors. Give the parameters as an array.",
    ],
    ["with respect to null", () => gradients(sum(weights), [nothing]), `gradients: null is not a tensor. ${GIVE}`],
  ]);
});

test("second derivatives of piecewise linear activations are those of the rest of the function", async () => {
  const weights = parameter("w", [2], [3, -3]);
  const second = (activation: (x: Tensor) => Tensor) => {
    const [first] = gradients(sum(square(activation(weights))), [weights]);
    return gradients(sum(first), [weights])[0];
  };
  const executable = await createCpuBackend()
    .createSession()
    .compile(defineGraph({ relu: second(relu), leakyRelu: second(leakyRelu) }));
  await executable.run(0, 1);
  expect([...(await executable.read("relu"))]).toEqual([2, 0]);
  expect([...(await executable.read("leakyRelu"))]).toEqual(
    [2, Math.fround(2e-4)].map((value) => expect.closeTo(value, 9)),
  );
});

describe("defineGraph with invalid arguments", () => {
  const weights = parameter("w", [3]);
  refuses([
    [
      "no outputs",
      () => defineGraph(nothing),
      "defineGraph: null are not outputs. Give an object of tensors, such as { loss }.",
    ],
    [
      "an output that is not a tensor",
      () => defineGraph({ loss: nothing }),
      `output loss: null is not a tensor. ${GIVE}`,
    ],
    [
      "no updates",
      () => defineGraph({}, nothing),
      "defineGraph: null are not updates. Give an array of { target, value }.",
    ],
    [
      "an update that is not an object",
      () => defineGraph({}, [nothing]),
      `update target: undefined is not a tensor. ${GIVE}`,
    ],
    [
      "an update without a value",
      () => defineGraph({}, [{ target: weights, value: nothing }]),
      `update value: null is not a tensor. ${GIVE}`,
    ],
    ["a numeric output", () => defineGraph({ loss: 3 as never }), `output loss: 3 is not a tensor. ${GIVE}`],
  ]);
});
