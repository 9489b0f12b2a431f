import type { Tensor } from "../../src/graph/tensor.ts";
import { packFloat16, unpackFloat16 } from "../../src/ops/float16/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { opCase, uniform, type OpCase } from "./cases.ts";

/** The ends of the range of float16, ties between two numbers, and what is not a finite number. */
const positive = [
  0,
  65_504,
  65_519,
  65_520,
  1e30,
  2 ** -14,
  2 ** -14 * (1 - 2 ** -12),
  2 ** -14 * (1 - 2 ** -10),
  1e-30,
  1 + 2 ** -11,
  1 + 3 * 2 ** -11,
  Infinity,
  NaN,
];
// The sign of NaN is not specified: Firefox keeps it.
const special = positive.flatMap((value) => (Number.isNaN(value) ? [value] : [value, -value]));

const packs = [1, 2, 3, 17, 65, 4100].map((size) =>
  opCase({
    name: `packFloat16 of ${size}`,
    covers: ["packFloat16"],
    inputs: { x: { shape: [size], draw: uniform(-70_000, 70_000), special } },
    build: ({ x }) => packFloat16(x),
    tolerance: "exact",
  }),
);

const shapes = [[1], [3], [17, 1], [3, 17], [5, 4], [65, 64]];

const unpacks = shapes.map((shape) =>
  opCase({
    name: `unpackFloat16 to [${shape.join(", ")}]`,
    covers: ["packFloat16", "unpackFloat16"],
    inputs: { x: { shape, draw: uniform(-4, 4), special: special.filter(Number.isFinite) } },
    build: ({ x }) => unpackFloat16(packFloat16(x), shape),
    tolerance: "exact",
  }),
);

const stored = (x: Tensor) => unpackFloat16(packFloat16(x), x.shape);

/** Kernels of products read four adjacent columns at once if their number is a multiple of 4. */
const products = [
  { rows: 17, inner: 20, columns: 8, transposed: false },
  { rows: 3, inner: 65, columns: 17, transposed: false },
  { rows: 65, inner: 64, columns: 64, transposed: true },
].map(({ rows, inner, columns, transposed }) =>
  opCase({
    name: `matmul of unpackFloat16 [${rows}, ${inner}] · [${inner}, ${columns}]${transposed ? ", transposed" : ""}`,
    covers: ["packFloat16", "unpackFloat16", "matmul"],
    inputs: {
      a: { shape: transposed ? [inner, rows] : [rows, inner], draw: uniform(-1, 1) },
      b: { shape: transposed ? [columns, inner] : [inner, columns], draw: uniform(-1, 1) },
    },
    build: ({ a, b }) => matmul(stored(a), stored(b), { transposeLeft: transposed, transposeRight: transposed }),
    tolerance: { c: 4, joined: inner, term: 1 },
  }),
);

export const cases: readonly OpCase[] = [...packs, ...unpacks, ...products];
