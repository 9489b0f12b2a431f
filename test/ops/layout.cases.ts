import { add, multiply } from "../../src/ops/elementwise/index.ts";
import { axisIndex, broadcastTo, copy, pack, reshape, transpose } from "../../src/ops/layout/index.ts";
import { integersBelow, opCase, ROUNDED, uniform, type OpCase } from "./cases.ts";

const reshapes: OpCase[] = [
  opCase({
    name: "reshape",
    covers: ["reshape"],
    inputs: { x: { shape: [3, 4, 5], draw: uniform(-2, 2) } },
    build: ({ x }) => reshape(x, [5, -1]),
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "reshape between operations",
    covers: ["reshape"],
    inputs: { x: { shape: [3, 5], draw: uniform(-2, 2) }, y: { shape: [15], draw: uniform(-2, 2) } },
    build: ({ x, y }) => reshape(add(reshape(multiply(x, x), [15]), y), [5, 3, 1]),
    differentiable: { x: 1, y: 1 },
    tolerance: { c: 4 },
  }),
  opCase({
    name: "reshape one element to a scalar",
    covers: ["reshape"],
    inputs: { x: { shape: [1, 1], draw: uniform(-2, 2) } },
    build: ({ x }) => reshape(x, []),
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "reshape integers",
    covers: ["reshape"],
    inputs: { x: { shape: [3, 17], dtype: "uint32", draw: integersBelow(2 ** 32) } },
    build: ({ x }) => reshape(x, [17, 3]),
    tolerance: "exact",
  }),
];

const orders = [
  [[], []],
  [[65], [0]],
  [
    [3, 17],
    [1, 0],
  ],
  [
    [1, 17],
    [1, 0],
  ],
  [
    [3, 4, 5],
    [2, 0, 1],
  ],
  [
    [3, 4, 5],
    [0, 2, 1],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 0, 2],
  ],
] as const;

const transposes: OpCase[] = [
  ...orders.map(([shape, order]) =>
    opCase({
      name: `transpose [${shape.join(", ")}] by [${order.join(", ")}]`,
      covers: ["transpose"],
      inputs: { x: { shape, draw: uniform(-2, 2) } },
      build: ({ x }) => transpose(x, order),
      differentiable: { x: 1 },
      tolerance: "exact",
    }),
  ),
  opCase({
    name: "transpose integers, reversed",
    covers: ["transpose"],
    inputs: { x: { shape: [3, 5, 7], dtype: "uint32", draw: integersBelow(2 ** 32) } },
    build: ({ x }) => transpose(x),
    tolerance: "exact",
  }),
  opCase({
    name: "transpose [257, 131]",
    covers: ["transpose"],
    inputs: { x: { shape: [257, 131], draw: uniform(-2, 2) } },
    build: ({ x }) => transpose(x),
    differentiable: { x: 1 },
    tolerance: "exact",
    parityOnly: true,
  }),
];

const targets = [
  [[], [3, 17], 51],
  [[1], [65], 65],
  [[17], [3, 17], 3],
  [[3, 1], [3, 17], 17],
  [[3, 1, 5], [2, 3, 4, 5], 8],
] as const;

const broadcasts: OpCase[] = [
  ...targets.map(([shape, target, joined]) =>
    opCase({
      name: `broadcastTo [${shape.join(", ")}] to [${target.join(", ")}]`,
      covers: ["broadcastTo"],
      inputs: { x: { shape, draw: uniform(-2, 2) } },
      build: ({ x }) => broadcastTo(x, target),
      differentiable: { x: joined },
      tolerance: "exact",
    }),
  ),
  opCase({
    name: "broadcastTo of integers",
    covers: ["broadcastTo"],
    inputs: { x: { shape: [5, 1], dtype: "uint32", draw: integersBelow(2 ** 32) } },
    build: ({ x }) => broadcastTo(x, [3, 5, 7]),
    tolerance: "exact",
  }),
];

const axisIndices: OpCase[] = [0, 1, 2].map((axis) =>
  opCase({
    name: `axisIndex ${axis} of [3, 5, 7]`,
    covers: ["axisIndex"],
    inputs: {},
    build: () => axisIndex([3, 5, 7], axis),
    tolerance: "exact",
  }),
);

const packs: OpCase[] = [
  opCase({
    name: "pack",
    covers: ["pack"],
    inputs: {
      first: { shape: [5, 13], draw: uniform(-2, 2) },
      second: { shape: [], draw: uniform(-2, 2) },
      third: { shape: [64], draw: uniform(-2, 2) },
      fourth: { shape: [3, 17], draw: uniform(-2, 2) },
    },
    build: ({ first, second, third, fourth }) => pack([first, second, third, fourth]),
    tolerance: "exact",
  }),
  opCase({
    name: "pack computed values",
    covers: ["pack"],
    inputs: { x: { shape: [3, 30], draw: uniform(-2, 2) }, y: { shape: [7], draw: uniform(-2, 2) } },
    build: ({ x, y }) => pack([multiply(x, 3), add(y, 1)]),
    tolerance: ROUNDED,
  }),
];

const copies: OpCase[] = [
  opCase({
    name: "copy",
    covers: ["copy"],
    inputs: { x: { shape: [3, 17], draw: uniform(-2, 2) } },
    build: ({ x }) => copy(x),
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "copy of integers",
    covers: ["copy"],
    inputs: { x: { shape: [65], dtype: "uint32", draw: integersBelow(2 ** 32) } },
    build: ({ x }) => copy(x),
    tolerance: "exact",
  }),
];

export const cases: readonly OpCase[] = [
  ...reshapes,
  ...transposes,
  ...broadcasts,
  ...axisIndices,
  ...packs,
  ...copies,
];
