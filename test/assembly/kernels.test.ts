/*
 * The kernels of the WebAssembly backend, one at a time in one thread: against cpu.ts in float64, over odd shapes, with
 * operands computed by functions and results handed on, and divided anywhere.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { Tensor } from "../../src/graph/tensor.ts";
import { matmul, type MatmulOptions } from "../../src/ops/matmul/index.ts";
import { sumOfParts } from "../../src/ops/parts/index.ts";
import { sortOrder, sumByIndex } from "../../src/ops/indexing/index.ts";
import { argmax, max, mean, product as productOfAll, sum } from "../../src/ops/reduce/index.ts";
import { cumulativeSum } from "../../src/ops/scan/index.ts";
import { logSoftmax, softmax, softmaxCrossEntropyPerExample } from "../../src/ops/softmax/index.ts";
import { UNIT_ROUNDOFF } from "../ops/accuracy.ts";
import { checkKernel, example, expectSameBits, random, uniform, type Bound } from "./check.ts";
import { Machine, type Example } from "./machine.ts";

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create();
});

const check = (given: Example, bound: Bound) => checkKernel(machine, given, bound);

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

test("products of random shapes", () => {
  for (let drawn = 0; drawn < 40; drawn++) {
    const size = (most: number) => 1 + random.below(random.below(most) + 1);
    const [rows, inner, columns] = [size(150), size(600), size(80)] as const;
    const precision = random.below(4) === 0 ? "float16" : "float32";
    check(product(rows, inner, columns, { ...ways[random.below(4)], precision }), productBound(inner));
  }
});

const leadingAxes = [
  [[3], [3]],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [[], [2, 3]],
  [[5], []],
] as const;

test.each(leadingAxes.flatMap((axes) => ways.map((way) => [...axes, way] as const)))(
  "products of batches [%s] and [%s], %j",
  (ofLeft, ofRight, way) => {
    for (const [rows, inner, columns] of [
      [5, 7, 9],
      [18, 33, 4],
      [2, 40, 1],
      [1, 6, 17],
    ] as const) {
      const left = [...ofLeft, ...(way.transposeLeft ? [inner, rows] : [rows, inner])];
      const right = [...ofRight, ...(way.transposeRight ? [columns, inner] : [inner, columns])];
      const size = (shape: readonly number[]) => shape.reduce((total, axis) => total * axis, 1);
      const given = example((a, b) => matmul(a!, b!, way), [left, uniform(size(left))], [right, uniform(size(right))]);
      check(given, productBound(inner));
    }
  },
);

/** Replaces a few values by NaN and infinities. */
function spoiled(values: Float32Array): Float32Array {
  for (const value of [NaN, Infinity, -Infinity]) values[random.below(values.length)] = value;
  return values;
}

test.each(ways)("a product with NaN and infinities, %j", (way) => {
  for (const [rows, inner, columns] of [
    [9, 30, 21],
    [2, 30, 21],
    [21, 2, 30],
  ] as const) {
    const given = product(rows, inner, columns, way);
    for (const values of given.values) spoiled(values as Float32Array);
    check(given, productBound(inner));
  }
});

test("a product in float16 at the ends of its numbers", () => {
  const left = Float32Array.of(
    7e4,
    -1e30,
    65_519,
    65_503,
    2 ** -14,
    2 ** -14 * (1 - 2 ** -11),
    -1e-30,
    1 + 2 ** -11,
    0,
  );
  const given = example(
    (a, b) => matmul(a, b, { precision: "float16" }),
    [[9, 1], left],
    [[1, 2], Float32Array.of(1 + 3 * 2 ** -11, -Infinity)],
  );
  check(given, () => 0);
});

describe("at addresses around 2³¹", () => {
  let far: Machine;

  beforeAll(async () => {
    far = await Machine.create(2 ** 31 + 2 ** 26);
  });

  test.each([
    ["a product", () => product(33, 40, 21, {})],
    ["a product in float16", () => product(33, 40, 21, { precision: "float16" })],
    ["a product of a row", () => product(1, 40, 300, { transposeRight: true })],
    ["sums of rows", () => example((x) => sum(x, { axes: 1 }), [[3, 5000], uniform(15_000)])],
    ["largest of rows", () => example((x) => max(x, { axes: 1 }), [[3, 5000], uniform(15_000)])],
    ["softmax", () => example((x) => softmax(x), [[300, 17], uniform(5100)])],
  ] as const)("%s", (_, draw) => {
    const given = draw();
    const near = machine.run(given);
    // The border moves through operands, results and scratch memory.
    for (let before = 2000; before < 160_000; before += 2000) {
      expectSameBits(far.run(given, { first: 2 ** 31 - before }), near, `${before} bytes before it`);
    }
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

  test("product and cumulative sum", () => {
    const bound: Bound = (_, expected) => UNIT_ROUNDOFF * Math.abs(expected) * (1 + 1e-6);
    const near1 = uniform(outer * count * inner, 0.9, 1.1);
    check(
      example((x) => productOfAll(x!, over), [shape, near1]),
      bound,
    );
    check(
      example((x) => cumulativeSum(x!, 1), [shape, uniform(near1.length)]),
      bound,
    );
  });

  test("sum and mean of NaN and infinities", () => {
    const values = spoiled(uniform(outer * count * inner));
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
    for (const drawn of [values, uniform(values.length), new Float32Array(values.length).fill(-Infinity)]) {
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

test("a sum of parts", () => {
  const bound: Bound = (_, expected) => UNIT_ROUNDOFF * Math.abs(expected) * (1 + 1e-6);
  for (const shape of [
    [5, 3, 17],
    [64, 1],
    [3, 300],
  ])
    check(
      example((x) => sumOfParts(x!), [shape, uniform(shape.reduce((total, axis) => total * axis, 1))]),
      bound,
    );
});

test("argmax finds the first NaN of a row that is taken in parts", () => {
  const values = uniform(7000);
  values[2500] = values[2600] = values[6999] = NaN;
  check(
    example((x) => argmax(x), [[7000], values]),
    () => 0,
  );
  expect(machine.run(example((x) => argmax(x), [[7000], values]))).toEqual(Uint32Array.of(2500));
});

describe("the order that sorts keys", () => {
  const sorted = (keys: Uint32Array) => example((x) => sortOrder(x!), [[keys.length], keys]);
  const below = (count: number, limit: number) => Uint32Array.from({ length: count }, () => random.below(limit));

  test.each([
    [1, 5],
    [2, 1],
    [17, 3],
    [300, 256],
    [1000, 65],
    [999, 70_000],
    [777, 2 ** 24],
    [513, 2 ** 32],
  ])("%i keys below %i", (count, limit) => {
    check(sorted(below(count, limit)), () => 0);
  });

  test("of keys that differ in their highest bits only", () => {
    check(sorted(below(200, 4).map((key) => key * 2 ** 30 + 5)), () => 0);
  });
});

describe("sums by index", () => {
  const byIndex = (outer: number, inner: number, indices: Uint32Array, size: number) => {
    const count = indices.length;
    const order = Uint32Array.from(indices.keys()).sort((a, b) => indices[a]! - indices[b]! || a - b);
    const values = uniform(outer * count * inner);
    const given = example(
      (x, at, by) => sumByIndex(x!, at!, by!, size),
      [[outer, count, inner], values],
      [[count], indices],
      [[count], order],
    );
    return { given, values };
  };

  test.each([
    [1, 1, 1, 1],
    [1, 40, 1, 7],
    [2, 33, 3, 50],
    [3, 64, 17, 5],
    [1, 200, 64, 1000],
    [4, 10, 130, 3],
  ])("%i times %i rows of %i into %i entries", (outer, count, inner, size) => {
    const indices = Uint32Array.from({ length: count }, () => random.below(size));
    const { given, values } = byIndex(outer, inner, indices, size);
    check(given, () => UNIT_ROUNDOFF * count * 2);
    // In float32, row by row.
    const wanted = new Float32Array(outer * size * inner);
    for (let row = 0; row < outer * count; row++)
      for (let at = 0; at < inner; at++)
        wanted[(Math.floor(row / count) * size + indices[row % count]!) * inner + at]! += values[row * inner + at]!;
    expectSameBits(machine.run(given), wanted, "in order");
  });

  test("of one entry only", () => {
    const { given } = byIndex(2, 5, new Uint32Array(100).fill(6), 9);
    check(given, () => UNIT_ROUNDOFF * 200);
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

  // Differences of logits are rounded, and the sum of the exponentials has √classes roundings.
  const relative = (largest: number) => 16 * UNIT_ROUNDOFF * (Math.sqrt(classes) + 2 * largest);

  function checkAll(logits: Float32Array, bound: number): void {
    const upstream = uniform(rows);
    const z = [shape, logits] as const;
    check(
      example((x) => softmax(x!), z),
      () => bound,
    );
    check(
      example((x) => logSoftmax(x!), z),
      () => bound,
    );
    check(
      example((x, y) => softmaxCrossEntropyPerExample(x!, y!), z, [[rows], labels]),
      () => bound,
    );
    check(example(crossEntropyGradient, z, [[rows], labels], [[rows], upstream]), () => bound);
  }

  test.each([1, 30])("within ±%i", (largest) => {
    checkAll(uniform(rows * classes, -largest, largest), relative(largest));
  });

  test("with NaN and infinities", () => {
    checkAll(spoiled(uniform(rows * classes)), relative(1));
    checkAll(new Float32Array(rows * classes).fill(-Infinity), 0);
  });
});

function crossEntropyGradient(logits: Tensor, labels: Tensor, upstream: Tensor): Tensor {
  const loss = softmaxCrossEntropyPerExample(logits, labels);
  return loss.op.gradient!(loss, upstream)[0]!;
}
