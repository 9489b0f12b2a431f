/*
 * For any data, data sets and what is made of them are valid, or the error says what, where and how to fix it.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  columnStandardization,
  makeClassificationDataset,
  makeRegressionDataset,
  standardization,
} from "../../src/data/dataset.ts";
import { builtInDigits } from "../../src/data/digits.ts";
import { epochOrder } from "../../src/data/order.ts";
import { Random } from "../../src/random.ts";
import { anything, holds, numbers, shapes } from "./refusals.ts";

/** Arguments that TypeScript would not allow. */
const given = <Value>(value: unknown): Value => value as Value;

describe("data sets", () => {
  const features = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.float32Array({ maxLength: 12 }),
    fc.constantFrom<unknown>(null, [1, 2], "pixels", new Float64Array(4)),
  );
  const shape = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<unknown>([1], [2], [2, 1]) },
    shapes as fc.Arbitrary<unknown>,
    anything,
  );
  const list = (length: number) =>
    fc.oneof(
      { weight: 4, arbitrary: fc.array(fc.string({ maxLength: 3 }), { maxLength: length }) as fc.Arbitrary<unknown> },
      anything,
    );

  test("makeClassificationDataset and makeRegressionDataset", () => {
    const labels = fc.oneof(
      { weight: 4, arbitrary: fc.uint32Array({ maxLength: 6, max: 3 }) as fc.Arbitrary<unknown> },
      anything,
    );
    // Independent parts rarely fit each other.
    const fitting = (labelsOf: (count: number) => fc.Arbitrary<unknown>) =>
      fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })).chain(([count, width]) => {
        const size = count * width;
        const values = fc.float32Array({ minLength: size, maxLength: size, noNaN: true, noDefaultInfinity: true });
        return fc.tuple<unknown[]>(values, fc.constant([width]), labelsOf(count), fc.constant(["a", "b"]));
      });
    const partsOf = (labelsOf: (count: number) => fc.Arbitrary<unknown>, anyLabels: fc.Arbitrary<unknown>) =>
      fc.oneof(
        { weight: 1, arbitrary: fitting(labelsOf) },
        { weight: 4, arbitrary: fc.tuple<unknown[]>(features, shape, anyLabels, list(4)) },
      );
    holds(
      ([values, sizes, answers, classes]) =>
        makeClassificationDataset({
          name: "d",
          features: given(values),
          shape: given(sizes),
          labels: given(answers),
          classes: given(classes),
        }),
      partsOf((count) => fc.uint32Array({ minLength: count, maxLength: count, max: 1 }), labels),
    );
    const targets = fc.oneof(
      { weight: 4, arbitrary: fc.float32Array({ maxLength: 6 }) as fc.Arbitrary<unknown> },
      anything,
    );
    holds(
      ([values, sizes, answers, outputs]) =>
        makeRegressionDataset({
          name: "d",
          features: given(values),
          shape: given(sizes),
          targets: given(answers),
          outputs: given(outputs),
        }),
      partsOf(
        (count) =>
          fc.float32Array({ minLength: 2 * count, maxLength: 2 * count, noNaN: true, noDefaultInfinity: true }),
        targets,
      ),
    );
  });

  test("normalization constants are finite for finite features", () => {
    const finite = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc.float32Array({ minLength: 1, maxLength: 12, noNaN: true, min: Math.fround(-1e30), max: Math.fround(1e30) }),
    );
    fc.assert(
      fc.property(finite, (values) => {
        for (const constants of Object.values(standardization(values))) expect(Number.isFinite(constants)).toBe(true);
      }),
    );
    holds(
      (values, width) => {
        const { scale, offset } = columnStandardization(values, given(width));
        for (const constants of [scale, offset].flat()) expect(Number.isFinite(constants)).toBe(true);
      },
      finite,
      anything,
    );
  });

  test("built-in digits and the order of an epoch", () => {
    // The defaults would draw thousands.
    const few = fc.oneof(
      { weight: 3, arbitrary: fc.constant<unknown>(2) },
      anything.filter((value) => value !== undefined),
    );
    holds(
      (train, held, seed) => builtInDigits({ train: given(train), test: given(held), seed: given(seed) }),
      few,
      few,
      few,
    );
    holds((count) => epochOrder(count, 1, 0), numbers);
    holds((count) => new Random(1).below(count), numbers);
  });
});
