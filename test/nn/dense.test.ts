/*
 * Dense layers on the last axis of sequences and images, against plain loops.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input } from "../../src/graph/leaves.ts";
import type { Shape, Tensor } from "../../src/graph/tensor.ts";
import { dense, functionalModel, initializers, sequential, summary } from "../../src/nn/index.ts";
import { multiply } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../backends.ts";

const [INPUTS, UNITS, BATCH] = [5, 3, 4];

const random = new Random(3);
const drawn = (count: number) => Float32Array.from({ length: count }, () => random.normal());
const [weight, bias] = [drawn(INPUTS * UNITS), drawn(UNITS)];

const layer = () =>
  dense(UNITS, { activation: "leakyRelu", weights: initializers.given(weight), biases: initializers.given(bias) });

/** The layer's outputs, and the gradients of the sum of outputs · factors, in float64. */
function byLoops(x: Float32Array, factors: Float32Array) {
  const rows = x.length / INPUTS;
  const y = new Float64Array(rows * UNITS);
  const ofWeight = new Float64Array(weight.length);
  const ofBias = new Float64Array(UNITS);
  const ofX = new Float64Array(x.length);
  for (let row = 0; row < rows; row++) {
    for (let unit = 0; unit < UNITS; unit++) {
      let total = bias[unit]!;
      for (let k = 0; k < INPUTS; k++) total += x[row * INPUTS + k]! * weight[k * UNITS + unit]!;
      y[row * UNITS + unit] = total > 0 ? total : 0.01 * total;
      const upstream = factors[row * UNITS + unit]! * (total > 0 ? 1 : 0.01);
      ofBias[unit]! += upstream;
      for (let k = 0; k < INPUTS; k++) {
        ofWeight[k * UNITS + unit]! += upstream * x[row * INPUTS + k]!;
        ofX[row * INPUTS + k]! += upstream * weight[k * UNITS + unit]!;
      }
    }
  }
  return { y, weight: ofWeight, bias: ofBias, x: ofX };
}

/** Applies the layer in both kinds of model. */
const models: Readonly<Record<string, (shape: Shape) => { parameters: readonly Tensor[]; apply(x: Tensor): Tensor }>> =
  {
    sequential: (shape) => sequential([layer()], { inputShape: shape }),
    functional(shape) {
      const only = layer();
      const model = functionalModel({ inputs: { x: shape } }, ({ x }, { use }) => ({ y: use(only, x) }));
      return { parameters: model.parameters, apply: (x) => model.apply({ x }).y };
    },
  };

describe.each(backends)("on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  describe.each(Object.entries(models))("in a %s model", (_, modelOf) => {
    test.each<[Shape]>([[[INPUTS]], [[7, INPUTS]], [[3, 2, INPUTS]], [[2, 1, 3, INPUTS]]])(
      "of inputs %j: all positions share the weights",
      async (shape) => {
        const { parameters, apply } = modelOf(shape);
        const x = input("x", [BATCH, ...shape]);
        const [values, factors] = [drawn(x.size), drawn((x.size / INPUTS) * UNITS)];
        const y = apply(x);
        expect(y.shape).toEqual([BATCH, ...shape.slice(0, -1), UNITS]);
        const loss = sum(multiply(y, constant([...factors], y.shape)));
        const [ofX, ofWeight, ofBias] = gradients(loss, [x, ...parameters]) as [Tensor, Tensor, Tensor];
        const session = backend.createSession();
        const executable = await session.compile(defineGraph({ y, x: ofX, weight: ofWeight, bias: ofBias }));
        session.write(x, values);
        await executable.run(0, 1);
        // Sums of up to 24 rows or 5 inputs: 16 · 2⁻²⁴ · √24 · 4, since the values are below 4.
        for (const [name, wanted] of Object.entries(byLoops(values, factors))) {
          const found = await executable.read(name);
          expect(found).toHaveLength(wanted.length);
          found.forEach((value, index) => expect(Math.abs(value - wanted[index]!)).toBeLessThan(2e-5));
        }
        session.dispose();
      },
    );
  });
});

test("the summary counts each position", () => {
  const { rows } = summary(sequential([layer()], { inputShape: [7, INPUTS] }));
  // A product of 5 terms, a bias and an activation, which counts as 2, for each of 7 · 3 outputs.
  expect(rows[0]).toMatchObject({ outputShape: [7, UNITS], parameters: 18, flops: 7 * UNITS * (2 * INPUTS + 3) });
});

test("an example without axes is refused", () => {
  const model = () => functionalModel({ inputs: { x: [] } }, ({ x }, { use }) => ({ y: use(dense(1), x) }));
  expect(model).toThrow(
    "dense: an example of its input is a single number without axes. Give the input the shape [1].",
  );
});
