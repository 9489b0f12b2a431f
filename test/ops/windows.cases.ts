import { drawWindows } from "../../src/ops/windows/index.ts";
import { slice, take } from "../../src/ops/indexing/index.ts";
import { exactly, integersBelow, opCase, uniform, type OpCase } from "./cases.ts";

const key = { shape: [], dtype: "uint32", draw: integersBelow(2 ** 32) } as const;

const sizes = [
  { planes: 1, elements: 65, count: 17, length: 3, first: 0 },
  { planes: 1, elements: 1003, count: 3, length: 65, first: 12 },
  // Every window is the whole data.
  { planes: 1, elements: 17, count: 3, length: 17, first: 1 },
  { planes: 2, elements: 1001, count: 17, length: 17, first: 5 },
  { planes: 2, elements: 3, count: 1, length: 1, first: 0 },
  // The numbers of windows wrap around.
  { planes: 2, elements: 300_007, count: 5, length: 33, first: 2 ** 32 - 3 },
];

const windows = sizes.map(({ planes, elements, count, length, first }) =>
  opCase({
    name: `drawWindows of ${length} from [${planes}, ${elements}] at ${first}`,
    covers: ["drawWindows"],
    inputs: {
      data: { shape: [planes, elements], dtype: "uint8", draw: integersBelow(256) },
      key,
      first: { shape: [], dtype: "uint32", draw: exactly(first) },
    },
    build: (inputs) => drawWindows(inputs.data, { key: inputs.key, first: inputs.first, count, length }),
    tolerance: "exact",
  }),
);

const embedded = opCase({
  name: "rows of a table by drawWindows",
  covers: ["drawWindows", "take"],
  inputs: {
    data: { shape: [1, 129], dtype: "uint8", draw: integersBelow(7) },
    key,
    first: { shape: [], dtype: "uint32", draw: exactly(3) },
    table: { shape: [7, 5], draw: uniform(-2, 2) },
  },
  build: (inputs) => {
    const drawn = drawWindows(inputs.data, { key: inputs.key, first: inputs.first, count: 3, length: 9 });
    return take(inputs.table, slice(drawn, [undefined, { start: 1 }]));
  },
  differentiable: { table: 24 },
  tolerance: "exact",
});

export const cases: readonly OpCase[] = [...windows, embedded];
