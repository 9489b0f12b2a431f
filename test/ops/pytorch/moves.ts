import { multiply } from "../../../src/ops/elementwise/index.ts";
import { packFloat16, unpackFloat16 } from "../../../src/ops/float16/index.ts";
import { takeBatch } from "../../../src/ops/gather/index.ts";
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
} from "../../../src/ops/indexing/index.ts";
import { axisIndex, broadcastTo, reshape, stopGradient, transpose } from "../../../src/ops/layout/index.ts";
import { exactly, integersBelow, permutation, uniform } from "../cases.ts";
import { comparison, floats, type Comparison } from "./comparison.ts";

const x = floats(3, 4, 5);

const moves = [
  comparison("reshape", { x }, (inputs) => reshape(inputs.x, [5, -1]), "x.reshape(5, -1)"),
  comparison("transpose", { x }, (inputs) => transpose(inputs.x, [2, 0, 1]), "x.permute(2, 0, 1)"),
  comparison("transpose", { x }, (inputs) => transpose(inputs.x), "x.permute(2, 1, 0)"),
  comparison("broadcastTo", { x: floats(4, 1) }, (inputs) => broadcastTo(inputs.x, [3, 4, 5]), "x.expand(3, 4, 5)"),
  comparison(
    "slice",
    { x },
    (inputs) => slice(inputs.x, [{ start: 1 }, { start: -3, end: -1 }, { step: 2 }]),
    "x[1:, -3:-1, ::2]",
  ),
  comparison("slice", { x }, (inputs) => slice(inputs.x, [undefined, { start: 3, step: -2 }]), "x.flip(1)[:, ::2]"),
  comparison("flip", { x }, (inputs) => flip(inputs.x, [0, 2]), "x.flip(0, 2)"),
  comparison(
    "pad",
    { x },
    (inputs) => pad(inputs.x, [0, [1, 0], [2, 3]], { value: 0.25 }),
    "F.pad(x, (2, 3, 1, 0), value=0.25)",
  ),
  comparison(
    "pad",
    { x },
    (inputs) => pad(inputs.x, [0, 0, [2, 3]], { mode: "edge" }),
    "F.pad(x, (2, 3), 'replicate')",
  ),
  comparison(
    "pad",
    { x },
    (inputs) => pad(inputs.x, [0, 0, [4, 3]], { mode: "reflect" }),
    "F.pad(x, (4, 3), 'reflect')",
  ),
  comparison("tile", { x: floats(2, 3) }, (inputs) => tile(inputs.x, [2, 3]), "x.tile(2, 3)"),
  comparison(
    "concat",
    { a: floats(3, 2), b: floats(3, 4) },
    ({ a, b }) => concat([a, b, a], 1),
    "torch.cat((a, b, a), 1)",
  ),
  comparison("stack", { a: floats(3, 2), b: floats(3, 2) }, ({ a, b }) => stack([a, b], 1), "torch.stack((a, b), 1)"),
  comparison("split", { x: floats(3, 7) }, (inputs) => split(inputs.x, [2, 4, 1], 1)[1]!, "x.split((2, 4, 1), 1)[1]"),
  comparison("split", { x: floats(6, 3) }, (inputs) => split(inputs.x, 3)[2]!, "x.chunk(3)[2]"),
  comparison("axisIndex", { x }, () => axisIndex([3, 4, 5], 1), "torch.arange(4)[None, :, None].expand(3, 4, 5)", []),
  comparison(
    "stopGradient",
    { a: floats(3), b: floats(3) },
    ({ a, b }) => multiply(multiply(stopGradient(a), a), b),
    "a.detach() * a * b",
  ),
];

const indices = { shape: [2, 6], dtype: "uint32", draw: integersBelow(3) } as const;
const keys = { shape: [9], dtype: "uint32", draw: integersBelow(4) } as const;

const byIndices = [
  comparison(
    "take",
    { x: floats(3, 4), indices },
    (inputs) => take(inputs.x, inputs.indices),
    "F.embedding(indices, x)",
  ),
  comparison(
    "take",
    { x: floats(2, 4, 3), keys },
    (inputs) => take(inputs.x, inputs.keys, { axis: 1 }),
    "torch.index_select(x, 1, keys)",
  ),
  comparison(
    "takeAlong",
    { x: floats(2, 3), indices },
    (inputs) => takeAlong(inputs.x, inputs.indices, { axis: 1 }),
    "x.gather(1, indices)",
  ),
  comparison("oneHot", { keys }, (inputs) => oneHot(inputs.keys, 6), "F.one_hot(keys, 6)"),
  comparison("sortOrder", { keys }, (inputs) => sortOrder(inputs.keys), "torch.sort(keys, stable=True)[1]"),
  comparison(
    "sumByIndex",
    { values: floats(2, 9, 3), keys },
    ({ values, keys: of }) => sumByIndex(values, of, sortOrder(of), 5),
    "torch.zeros(2, 5, 3).index_add(1, keys, values)",
  ),
  comparison(
    "takeBatch",
    {
      data: { shape: [7, 3], dtype: "uint8", draw: integersBelow(256) },
      order: { shape: [7], dtype: "uint32", draw: permutation },
      start: { shape: [], dtype: "uint32", draw: exactly(2) },
    },
    ({ data, order, start }) => takeBatch(data, { order, start, count: 4, scale: 0.125, offset: -0.5 }),
    "data[order[2:6]] * 0.125 - 0.5",
  ),
  comparison(
    "unpackFloat16",
    { x: { shape: [3, 5], draw: uniform(-70, 70) } },
    (inputs) => unpackFloat16(packFloat16(inputs.x), [3, 5]),
    "x.half()",
    [],
  ),
];

export const comparisons: readonly Comparison[] = [...moves, ...byIndices];
