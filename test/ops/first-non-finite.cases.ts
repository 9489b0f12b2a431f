import { multiply } from "../../src/ops/elementwise/index.ts";
import { pack, reshape } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { firstNonFinite, replaceIf } from "../../src/ops/non-finite/index.ts";
import { max, mean, sum } from "../../src/ops/reduce/index.ts";
import { softmaxCrossEntropyPerExample } from "../../src/ops/softmax/index.ts";
import { integersBelow, opCase, uniform, type Draw, type OpCase } from "./cases.ts";

/** Numbers near 1 but for some elements. */
const spoiled =
  (places: Readonly<Record<number, number>>): Draw =>
  (random, size) =>
    Array.from({ length: size }, (_, element) => places[element] ?? random.uniform(0.5, 1.5));

const covers = ["firstNonFinite"];

/** What no kernel of the graph makes. */
const given: OpCase[] = (
  [
    ["finite numbers", 65, {}],
    ["one NaN", 1, { 0: NaN }],
    ["a NaN before an infinity", 65, { 40: NaN, 64: Infinity }],
    ["the last of many, four at a time", 8192, { 8191: -Infinity }],
    [
      "the first of many faults",
      8192,
      Object.fromEntries(Array.from({ length: 8000 }, (_, index) => [191 + index, NaN])),
    ],
  ] as const
).map(([name, size, places]) =>
  opCase({
    name: `firstNonFinite: ${name}`,
    covers,
    inputs: { x: { shape: [size], draw: spoiled(places) } },
    build: ({ x }) => firstNonFinite([x]),
    tolerance: "exact",
  }),
);

/** What kernels of the graph make, which look at it along the way. */
const made: OpCase[] = [
  ...(["the product first", "the sums first"] as const).map((order) =>
    opCase({
      name: `firstNonFinite of a product and its column sums, packed, ${order}`,
      covers,
      inputs: {
        left: { shape: [65, 17], draw: spoiled({}) },
        // Column 31 of the product, and its sum, are infinite.
        right: { shape: [65, 33], draw: spoiled({ [64 * 33 + 31]: Infinity }) },
      },
      build({ left, right }) {
        const parts = [matmul(left, right, { transposeLeft: true }), sum(right, { axes: 0 })];
        return firstNonFinite([pack(order === "the sums first" ? parts.toReversed() : parts)]);
      },
      tolerance: "exact",
    }),
  ),
  opCase({
    name: "firstNonFinite of a chain, of a maximum and of a loss",
    covers,
    inputs: {
      x: { shape: [3, 17], draw: spoiled({}) },
      labels: { shape: [3], dtype: "uint32", draw: integersBelow(17) },
      logits: { shape: [3, 17], draw: spoiled({ 20: NaN }) },
    },
    build: ({ x, labels, logits }) =>
      firstNonFinite([
        reshape(multiply(x, x), [51]),
        max(x, { axes: 1 }),
        mean(softmaxCrossEntropyPerExample(logits, labels)),
      ]),
    tolerance: "exact",
  }),
];

const replacements: OpCase[] = [0, 1, 2 ** 31].map((condition) =>
  opCase({
    name: `replaceIf: ${condition}`,
    covers: ["replaceIf"],
    inputs: {
      condition: { shape: [], dtype: "uint32", draw: () => [condition] },
      kept: { shape: [], draw: uniform(1, 2) },
      other: { shape: [1], draw: uniform(-2, -1) },
    },
    build: ({ condition: flag, kept, other }) => replaceIf(flag, kept, reshape(other, [])),
    tolerance: "exact",
  }),
);

/** The last element of the last row and column: a kernel that leaves it out finds nothing. */
const last = opCase({
  name: "firstNonFinite: the last element of a matrix",
  covers,
  inputs: { x: { shape: [3, 17], draw: spoiled({ 50: NaN }) } },
  build: ({ x }) => firstNonFinite([x]),
  tolerance: "exact",
});

export const cases = [last, ...given, ...made, ...replacements];
