import { describe, expect, test } from "vitest";
import { constant, input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import {
  abs,
  add,
  gelu,
  leakyRelu,
  maximum,
  minimum,
  multiply,
  relu,
  step,
  tanh,
} from "../../src/ops/elementwise/index.ts";
import { erfc } from "../../src/ops/elementwise/erf.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { meanSquaredError, softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { max, sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { allCases } from "./all-cases.ts";
import { uniform, type InputValues } from "./cases.ts";
import { buildCase, caseGradients, evaluate, gradientQuestion } from "./evaluate.ts";
import { compareGradients, judge, LARGEST_DIFFERENCE, numericGradients } from "./gradient-check.ts";

const checked = allCases.filter(({ differentiable, parityOnly }) => differentiable && !parityOnly);

describe("all gradients, in float64, against central differences", () => {
  test.each(checked)("$name", async (opCase) => {
    const built = buildCase(opCase);
    const question = gradientQuestion(built, new Random(1));
    const worst = await compareGradients(question, caseGradients(built), await numericGradients(question));
    expect(worst.difference, JSON.stringify(worst)).toBeLessThanOrEqual(LARGEST_DIFFERENCE);
  });
});

/** The gradients of Σ f(x, …) at given points. */
async function gradientsAt(f: (...inputs: Tensor[]) => Tensor, ...points: number[][]): Promise<number[][]> {
  const byPlace = <T>(items: readonly T[]): Record<string, T> => Object.fromEntries(items.entries());
  const tensors = points.map((point, position) => input(`x${position}`, [point.length]));
  const found = gradients(sum(f(...tensors)), tensors);
  const values = points.map((point) => Float64Array.from(point));
  const results = await evaluate(judge, byPlace(found), byPlace(tensors), byPlace(values));
  return points.map((_, position) => [...results[position]!]);
}

describe("kinks and ties", () => {
  test("relu'(0) is 0", async () => {
    expect(await gradientsAt((x) => relu(x!), [-1, 0, 2])).toEqual([[0, 0, 1]]);
  });

  test("leakyRelu'(0) is the slope", async () => {
    expect(await gradientsAt((x) => leakyRelu(x!, 0.25), [-1, 0, 2])).toEqual([[0.25, 0.25, 1]]);
  });

  test("abs'(0) is 0", async () => {
    expect(await gradientsAt((x) => abs(x!), [-3, 0, 3])).toEqual([[-1, 0, 1]]);
  });

  test("step' is 0 everywhere", async () => {
    expect(await gradientsAt((x) => step(x!), [-1, 0, 2])).toEqual([[0, 0, 0]]);
  });

  test("the gradient of a tied maximum or minimum flows to the first operand", async () => {
    const a = [1, 2, 3];
    const b = [3, 2, 1];
    expect(await gradientsAt((x, y) => maximum(x!, y!), a, b)).toEqual([
      [0, 1, 1],
      [1, 0, 0],
    ]);
    expect(await gradientsAt((x, y) => minimum(x!, y!), a, b)).toEqual([
      [1, 1, 0],
      [0, 0, 1],
    ]);
  });

  test("the gradient of a tied maximum over axes flows to the first element, row-major", async () => {
    expect(await gradientsAt((x) => max(x!), [1, 5, 5, 0, 5])).toEqual([[0, 1, 0, 0, 0]]);
    const grid = input("grid", [2, 2, 3]);
    const values = { grid: Float64Array.of(1, 7, 7, 7, 0, 7, /* second */ 7, 7, 1, 2, 7, 7) };
    const over = async (axes: number | number[]) => {
      const [gradient] = gradients(sum(max(grid, { axes })), [grid]);
      return [...(await evaluate(judge, { gradient: gradient! }, { grid }, values))["gradient"]!];
    };
    expect(await over(0)).toEqual([0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0]);
    expect(await over(-1)).toEqual([0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0]);
    expect(await over([0, 2])).toEqual([0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

test("z = (x + y) · w at 2, 3, 4 is 20, with gradients 4, 4 and 5", async () => {
  const [x, y, w] = [input("x", []), input("y", []), input("w", [])];
  const z = multiply(add(x, y), w);
  const [dx, dy, dw] = gradients(z, [x, y, w]) as [Tensor, Tensor, Tensor];
  const values = { x: Float64Array.of(2), y: Float64Array.of(3), w: Float64Array.of(4) };
  const results = await evaluate(judge, { z, dx, dy, dw }, { x, y, w }, values);
  expect(Object.values(results).map(([value]) => value)).toEqual([20, 4, 4, 5]);
});

test("the gradients of a tensor that is used twice are added", async () => {
  expect(await gradientsAt((x) => multiply(add(x!, x!), multiply(x!, constant(3))), [1, -2])).toEqual([[12, -24]]);
});

describe("whole networks, in float64, against central differences", () => {
  /** Collects leaves with their values. */
  class Leaves {
    readonly tensors: Record<string, Tensor> = {};
    readonly values: Record<string, Float64Array | Uint32Array> = {};
    readonly #random = new Random(2);

    draw(name: string, shape: number[], range = 1): Tensor {
      const tensor = input(name, shape);
      this.tensors[name] = tensor;
      this.values[name] = Float64Array.from(uniform(-range, range)(this.#random, tensor.size));
      return tensor;
    }

    layer(x: Tensor, name: string, outputs: number): Tensor {
      const weights = this.draw(`${name} weights`, [x.shape[1]!, outputs]);
      return add(matmul(x, weights), this.draw(`${name} bias`, [outputs]));
    }
  }

  async function expectRight(loss: Tensor, leaves: Record<string, Tensor>, values: InputValues): Promise<void> {
    const names = Object.keys(leaves).filter((name) => / (weights|bias)$/.test(name));
    const question = { loss, leaves, values, names };
    const found = gradients(
      loss,
      names.map((name) => leaves[name]!),
    );
    const byName = Object.fromEntries(names.map((name, position) => [name, found[position]!]));
    const worst = await compareGradients(question, byName, await numericGradients(question));
    expect(worst.difference, JSON.stringify(worst)).toBeLessThanOrEqual(LARGEST_DIFFERENCE);
  }

  test("5-16-2 with softmax cross-entropy", async () => {
    const leaves = new Leaves();
    const hidden = tanh(leaves.layer(leaves.draw("x", [7, 5]), "first", 16));
    const labels = input("labels", [7], "uint32");
    const loss = softmaxCrossEntropy(leaves.layer(hidden, "second", 2), labels);
    const values = { ...leaves.values, labels: Uint32Array.of(0, 1, 1, 0, 1, 0, 0) };
    await expectRight(loss, { ...leaves.tensors, labels }, values);
  });

  test("4-8-8-6-5-3 with tanh, gelu, a skip and mean squared error", async () => {
    const leaves = new Leaves();
    const first = tanh(leaves.layer(leaves.draw("x", [6, 4]), "first", 8));
    const second = gelu(leaves.layer(first, "second", 8));
    const joined = add(first, multiply(second, 0.5));
    const third = tanh(leaves.layer(gelu(leaves.layer(joined, "third", 6)), "fourth", 5));
    const loss = meanSquaredError(leaves.layer(third, "fifth", 3), leaves.draw("targets", [6, 3]));
    await expectRight(loss, leaves.tensors, leaves.values);
  });
});

// Computed with mpmath 1.3 to 40 digits.
test.each([
  [0, 1],
  [0.1, 0.8875370839817151016],
  [0.46875, 0.50738652678206200841],
  [0.5, 0.47950012218695346232],
  [1, 0.15729920705028513066],
  [1.5, 0.033894853524689272933],
  [2, 4.6777349810472658379e-3],
  [2.7, 1.3433273994052419237e-4],
  [3.3, 3.0577097964381651988e-6],
  [4, 1.5417257900280018852e-8],
  [4.0625, 9.1789290248081913715e-9],
  [5, 1.5374597944280348502e-12],
  [6.3, 5.1242216873957155494e-19],
  [8, 1.122429717298292708e-29],
  [10.1, 2.7708969831311740073e-46],
  [15, 7.2129941724512066666e-100],
  [20, 5.3958656116079009289e-176],
  [25.9, 1.0202833184732667196e-293],
  [-0.2, 1.2227025892104784662],
  [-0.7, 1.6778011938374184423],
  [-3, 1.9999779095030014146],
  [-6, 1.9999999999999999785],
])("erfc(%d) is %d", (x, expected) => {
  expect(Math.abs(erfc(x) - expected) / expected).toBeLessThanOrEqual(1e-15);
});
