/*
 * The kernels of the WebAssembly backend, one at a time in one thread: against cpu.ts in float64, over odd shapes, with
 * operands computed by functions and results handed on, and divided anywhere.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import type { NumericArray } from "../../src/ops/kernel.ts";
import { matmul, type MatmulOptions } from "../../src/ops/matmul/index.ts";
import { argmax, max, mean, sum } from "../../src/ops/reduce/index.ts";
import { logSoftmax, softmax, softmaxCrossEntropyPerExample } from "../../src/ops/softmax/index.ts";
import { rootOf } from "../../src/graph/views.ts";
import { Random } from "../../src/random.ts";
import { UNIT_ROUNDOFF } from "../ops/accuracy.ts";
import { seed } from "../ops/parity.ts";
import { Machine, reference, unitsOf, type Example } from "./machine.ts";

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create();
}, 60_000);

const random = new Random(seed);

const uniform = (size: number, low = -1, high = 1) =>
  Float32Array.from({ length: size }, () => random.uniform(low, high));

/** Bounds of the errors, by element or one for all. */
type Bound = (element: number, expected: number) => number;

/** A node whose inputs are leaves of these values. */
function example(
  build: (...leaves: Tensor[]) => Tensor,
  ...inputs: [shape: readonly number[], NumericArray][]
): Example {
  const leaves = inputs.map(([shape, values], position) =>
    input(`input ${position}`, shape, values instanceof Uint32Array ? "uint32" : "float32"),
  );
  return { node: rootOf(build(...leaves)), values: inputs.map(([, values]) => values) };
}

function expectNear(actual: NumericArray, expected: Float64Array, bound: Bound): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, element) => {
    const wanted = expected[element]!;
    const error = Math.abs(value - wanted);
    if (Object.is(value, wanted) || (Number.isNaN(value) && Number.isNaN(wanted)) || value === wanted) return;
    if (!(error <= bound(element, wanted))) {
      expect.fail(
        `seed ${seed}, element ${element}: ${value} instead of ${wanted}, more than ${bound(element, wanted)} off`,
      );
    }
  });
}

/** Cuts of the units at random multiples of the grain, at most three. */
function randomCuts(given: Example): number[] {
  const { units, grain } = unitsOf(given);
  const places = Math.ceil(units / grain) - 1;
  if (places <= 0) return [];
  const cuts = Array.from({ length: 3 }, () => grain * (1 + random.below(places)));
  return [...new Set(cuts)].sort((a, b) => a - b);
}

/** Every way to run a kernel gives the same bits, near those of the reference. */
function check(given: Example, bound: Bound): void {
  const whole = machine.run(given);
  expectNear(whole, reference(given), bound);
  expect(machine.run(given, { cuts: randomCuts(given) }), "divided").toEqual(whole);
  const all = given.values.map(() => true);
  expect(machine.run(given, { fills: all, cuts: randomCuts(given) }), "operands computed").toEqual(whole);
  if (given.node.dtype !== "float32") return;
  const finished = machine.run(given, { finish: true, cuts: randomCuts(given) });
  expect(
    finished.map((value) => -value),
    "finished",
  ).toEqual(whole);
}

const ways = [false, true].flatMap((transposeLeft) =>
  [false, true].map((transposeRight) => ({ transposeLeft, transposeRight })),
);

function product(rows: number, inner: number, columns: number, options: MatmulOptions): Example {
  return example(
    (left, right) => matmul(left, right, options),
    [options.transposeLeft ? [inner, rows] : [rows, inner], uniform(rows * inner)],
    [options.transposeRight ? [columns, inner] : [inner, columns], uniform(inner * columns)],
  );
}

/** The mean square of a product of two uniform numbers is 1/9. */
const productBound =
  (inner: number): Bound =>
  () =>
    16 * UNIT_ROUNDOFF * Math.sqrt(inner) * (Math.sqrt(inner) / 3);

describe.each(ways)("matmul %j", (way) => {
  test.each([
    [1, 1, 1],
    [3, 5, 2],
    [4, 4, 8],
    [5, 7, 9],
    [1, 17, 130],
    [130, 17, 1],
    [2, 300, 11],
    [17, 3, 65],
    [65, 129, 17],
    [67, 257, 10],
    [33, 1, 12],
    [129, 600, 13],
    [9, 40, 1030],
  ])("%i × %i · %i", (rows, inner, columns) => {
    check(product(rows, inner, columns, way), productBound(inner));
    check(product(rows, inner, columns, { ...way, precision: "float16" }), productBound(inner));
  });
});

/** Inputs [outer, count, inner] of reductions over the middle axis. */
const reductionShapes = [
  [1, 1, 1],
  [1, 7, 1],
  [3, 10, 1],
  [70, 10, 1],
  [1, 2048, 1],
  [3, 5001, 1],
  [1, 64, 128],
  [1, 9, 3],
  [3, 4, 5],
  [2, 33, 70],
  [1, 3, 2100],
  [5, 1, 6],
  [2, 3, 1],
] as const;

describe.each(reductionShapes)("reductions of [%i, %i, %i]", (outer, count, inner) => {
  const over = { axes: 1 };
  const shape = [outer, count, inner];

  test("sum and mean", () => {
    const values = uniform(outer * count * inner);
    // Sums are float64 until they are stored, so that one rounding is left.
    const bound: Bound = (_, expected) => UNIT_ROUNDOFF * Math.abs(expected) * (1 + 1e-6);
    for (const reduce of [sum, mean])
      check(
        example((x) => reduce(x, over), [shape, values]),
        bound,
      );
  });

  test("max and argmax", () => {
    // Whole numbers, so that some are equal.
    const values = uniform(outer * count * inner, -20, 20).map(Math.round);
    for (let drawn = 0; drawn < 3; drawn++) values[random.below(values.length)] = NaN;
    for (const drawn of [values, uniform(values.length)]) {
      check(
        example((x) => max(x, over), [shape, drawn]),
        () => 0,
      );
      check(
        example((x) => argmax(x, over), [shape, drawn]),
        () => 0,
      );
    }
  });
});

const rowShapes = [
  [1, 1],
  [5, 2],
  [64, 10],
  [3, 3],
  [7, 17],
  [300, 10],
  [2, 5000],
] as const;

describe.each(rowShapes)("rows of logits [%i, %i]", (rows, classes) => {
  const shape = [rows, classes];
  const labels = Uint32Array.from({ length: rows }, () => random.below(classes));

  test.each([1, 30])("within ±%i", (largest) => {
    const logits = uniform(rows * classes, -largest, largest);
    const upstream = uniform(rows);
    // Differences of logits are rounded, and the sum of the exponentials has √classes roundings.
    const relative = 16 * UNIT_ROUNDOFF * (Math.sqrt(classes) + 2 * largest);
    check(
      example((logits) => softmax(logits!), [shape, logits]),
      () => relative,
    );
    check(
      example((logits) => logSoftmax(logits!), [shape, logits]),
      () => relative,
    );
    check(example(softmaxCrossEntropyPerExample, [shape, logits], [[rows], labels]), () => relative);
    check(
      example(
        (z, label, factor) => crossEntropyGradient(z, label, factor),
        [shape, logits],
        [[rows], labels],
        [[rows], upstream],
      ),
      () => relative,
    );
  });
});

function crossEntropyGradient(logits: Tensor, labels: Tensor, upstream: Tensor): Tensor {
  const loss = softmaxCrossEntropyPerExample(logits, labels);
  return loss.op.gradient!(loss, upstream)[0]!;
}
