import type { Shape } from "../../src/graph/tensor.ts";
import {
  concat,
  flip,
  oneHot,
  pad,
  slice,
  sortOrder,
  split,
  stack,
  sumByIndex,
  take,
  takeAlong,
  tile,
  type PadMode,
  type SliceRange,
} from "../../src/ops/indexing/index.ts";
import { exactly, integersBelow, opCase, uniform, type Draw, type OpCase } from "./cases.ts";

const x = (shape: Shape) => ({ shape, draw: uniform(-2, 2) });

const ranges: readonly [Shape, readonly (SliceRange | undefined)[]][] = [
  [[17], [{ start: 3, end: 12 }]],
  [[17], [{ step: -1 }]],
  [[17], [{ start: -2, end: 1, step: -3 }]],
  [[5, 3], [{ start: 1 }]],
  [
    [5, 3],
    [undefined, { end: -1 }],
  ],
  [
    [3, 5, 7, 2],
    [{ step: 2 }, { start: 1, end: 4, step: 2 }, { start: 6, step: -2 }],
  ],
  [
    [65, 17],
    [{ start: 64 }, { start: 16 }],
  ],
];

const slices = ranges.map(([shape, given]) =>
  opCase({
    name: `slice [${shape.join(", ")}] by ${JSON.stringify(given)}`,
    covers: ["slice"],
    inputs: { x: x(shape) },
    build: (inputs) => slice(inputs.x, given),
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
);

const paddings: readonly [Shape, readonly (number | readonly [number, number])[], number][] = [
  [[5], [[2, 1]], 3],
  [[3, 4], [[0, 1], 2], 3],
  [[2, 5, 3, 3], [0, [1, 2], [2, 0], 0], 4],
  [[1, 17], [0, [16, 3]], 8],
];

const pads = paddings.flatMap(([shape, widths, joined]) =>
  (["edge", "reflect", "constant"] satisfies PadMode[]).map((mode) =>
    opCase({
      name: `pad [${shape.join(", ")}] by ${JSON.stringify(widths)}, ${mode}`,
      covers: ["pad"],
      inputs: { x: x(shape) },
      build: (inputs) => pad(inputs.x, widths, { mode, value: 0.25 }),
      differentiable: { x: mode === "constant" ? 1 : 4 * joined },
      tolerance: "exact",
    }),
  ),
);

const moves: OpCase[] = [
  opCase({
    name: "flip all axes",
    covers: ["flip"],
    inputs: { x: x([3, 5]) },
    build: (inputs) => flip(inputs.x),
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "flip the middle axis",
    covers: ["flip"],
    inputs: { x: x([3, 5, 4]) },
    build: (inputs) => flip(inputs.x, -2),
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "tile two axes",
    covers: ["tile"],
    inputs: { x: x([3, 5]) },
    build: (inputs) => tile(inputs.x, [2, 3]),
    differentiable: { x: 6 },
    tolerance: "exact",
  }),
  opCase({
    name: "slice a flipped, padded matrix of integers' positions",
    covers: ["slice", "flip", "sortOrder"],
    inputs: { keys: { shape: [9], dtype: "uint32", draw: integersBelow(4) } },
    build: ({ keys }) => slice(flip(sortOrder(keys)), [{ start: 2, step: 3 }]),
    tolerance: "exact",
  }),
];

const joins: OpCase[] = [
  opCase({
    name: "concat along the first axis",
    covers: ["concat"],
    inputs: { a: x([3, 5]), b: x([1, 5]), c: x([4, 5]) },
    build: ({ a, b, c }) => concat([a, b, c]),
    differentiable: { a: 1, b: 1, c: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "concat along the last axis",
    covers: ["concat"],
    inputs: { a: x([3, 5]), b: x([3, 2]) },
    build: ({ a, b }) => concat([a, b], -1),
    differentiable: { a: 1, b: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "concat six tensors, one of them twice",
    covers: ["concat"],
    inputs: { a: x([2, 3]), b: x([2, 1]), c: x([2, 2]), d: x([2, 4]), e: x([2, 1]) },
    build: ({ a, b, c, d, e }) => concat([a, b, c, a, d, e], 1),
    differentiable: { a: 2, b: 1, c: 1, d: 1, e: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "concat of more tensors than a kernel can read",
    covers: ["concat"],
    inputs: Object.fromEntries(Array.from({ length: 18 }, (_, index) => [`part${index}`, x([2, 1 + (index % 2)])])),
    build: (parts) => concat(Object.values(parts), 1),
    differentiable: { part0: 1, part17: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "concat along an axis of the same size as another",
    covers: ["concat"],
    inputs: { a: x([4, 1, 3]), b: x([4, 1, 3]) },
    build: ({ a, b }) => concat([a, b], 1),
    differentiable: { a: 1, b: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "stack along a new middle axis",
    covers: ["stack"],
    inputs: { a: x([3, 5]), b: x([3, 5]) },
    build: ({ a, b }) => stack([a, b], 1),
    differentiable: { a: 1, b: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "split, the parts in another order",
    covers: ["split"],
    inputs: { x: x([3, 7]) },
    build: (inputs) => {
      const [a, b, c] = split(inputs.x, [2, 4, 1], 1);
      return concat([c!, a!, b!], 1);
    },
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "split into equal parts along the first axis",
    covers: ["split"],
    inputs: { x: x([6, 5]) },
    build: (inputs) => split(inputs.x, 3)[1]!,
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
];

const repeated: Draw = (random, size) => Array.from({ length: size }, () => random.below(3));

const takes: OpCase[] = [
  opCase({
    name: "take rows, some of them often",
    covers: ["take", "sumByIndex", "sortOrder"],
    inputs: { x: x([5, 3]), indices: { shape: [2, 7], dtype: "uint32", draw: repeated } },
    build: ({ x: table, indices }) => take(table, indices),
    differentiable: { x: 14 },
    tolerance: "exact",
  }),
  opCase({
    name: "take along the middle axis",
    covers: ["take"],
    inputs: { x: x([2, 65, 3]), indices: { shape: [17], dtype: "uint32", draw: integersBelow(65) } },
    build: ({ x: table, indices }) => take(table, indices, { axis: 1 }),
    differentiable: { x: 4 },
    tolerance: "exact",
  }),
  opCase({
    name: "take one row of a large table",
    covers: ["take"],
    inputs: { x: x([3000, 17]), indices: { shape: [1], dtype: "uint32", draw: exactly(2999) } },
    build: ({ x: table, indices }) => take(table, indices),
    differentiable: { x: 1 },
    parityOnly: true,
    tolerance: "exact",
  }),
  opCase({
    name: "takeAlong the middle axis",
    covers: ["takeAlong"],
    inputs: { x: x([3, 4, 2]), indices: { shape: [3, 5, 2], dtype: "uint32", draw: integersBelow(4) } },
    build: ({ x: values, indices }) => takeAlong(values, indices, { axis: 1 }),
    differentiable: { x: 5 },
    tolerance: "exact",
  }),
  opCase({
    name: "takeAlong the last axis, one element a row",
    covers: ["takeAlong"],
    inputs: { x: x([17, 10]), indices: { shape: [17, 1], dtype: "uint32", draw: integersBelow(10) } },
    build: ({ x: values, indices }) => takeAlong(values, indices, { axis: -1 }),
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "sumByIndex of three-dimensional values",
    covers: ["sumByIndex"],
    inputs: { values: x([2, 65, 3]), indices: { shape: [65], dtype: "uint32", draw: integersBelow(7) } },
    build: ({ values, indices }) => sumByIndex(values, indices, sortOrder(indices), 9),
    differentiable: { values: 1 },
    tolerance: { c: 2, joined: 20, term: 2 },
  }),
  opCase({
    name: "sortOrder of 1,000 keys with ties",
    covers: ["sortOrder"],
    inputs: { keys: { shape: [1000], dtype: "uint32", draw: integersBelow(300), special: [2 ** 32 - 1, 0] } },
    build: ({ keys }) => sortOrder(keys),
    tolerance: "exact",
  }),
];

const labels = { dtype: "uint32", draw: integersBelow(5), special: [2 ** 32 - 1, 4, 0] } as const;

const encodings: OpCase[] = (
  [
    [[7], 5],
    [[3, 5], 17],
    [[], 3],
    [[65], 1],
  ] as const
).map(([shape, classes]) =>
  opCase({
    name: `oneHot of [${shape.join(", ")}], ${classes} classes`,
    covers: ["oneHot"],
    inputs: { labels: { shape, ...labels } },
    build: (inputs) => oneHot(inputs.labels, classes),
    tolerance: "exact",
  }),
);

export const cases: readonly OpCase[] = [...slices, ...pads, ...moves, ...joins, ...takes, ...encodings];
