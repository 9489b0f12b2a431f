import { attention, rotateByPosition } from "../../src/ops/attention/index.ts";
import { exactly, opCase, uniform, type OpCase } from "./cases.ts";

const near1 = uniform(-1, 1);

/**
 * The weights of the keys sum to 1, so that an output is about as large as a value. A score joins `width` products, and its
 * error counts once for each key that a weight is compared with.
 */
const tolerance = (keys: number, width: number) => ({ c: 16, joined: keys + width, term: 1 });

const sizes: readonly (readonly [queries: number, keys: number, width: number, values: number])[] = [
  [1, 1, 1, 1],
  [3, 5, 4, 2],
  [17, 3, 1, 17],
];

const plain = sizes.map(([queries, keys, width, values]): OpCase =>
  opCase({
    name: `attention of ${queries} queries to ${keys} keys of width ${width}`,
    covers: ["attention"],
    inputs: {
      q: { shape: [2, queries, width], draw: near1 },
      k: { shape: [2, keys, width], draw: near1 },
      v: { shape: [2, keys, values], draw: near1 },
    },
    build: ({ q, k, v }) => attention(q, k, v),
    differentiable: { q: keys + values, k: queries + values, v: queries },
    // The weight of a single key is 1, whatever the scores are.
    parityOnly: keys === 1,
    tolerance: tolerance(keys, width),
  }),
);

const causal = [1, 17].map((length): OpCase =>
  opCase({
    name: `causal attention over ${length} positions`,
    covers: ["attention"],
    inputs: {
      q: { shape: [2, 3, length, 4], draw: near1 },
      k: { shape: [2, 3, length, 4], draw: near1 },
      v: { shape: [2, 3, length, 3], draw: near1 },
    },
    build: ({ q, k, v }) => attention(q, k, v, { causal: true }),
    differentiable: { q: length, k: length, v: length },
    parityOnly: length === 1,
    tolerance: tolerance(length, 4),
  }),
);

const large = opCase({
  name: "causal attention over 65 positions",
  covers: ["attention"],
  inputs: Object.fromEntries(["q", "k", "v"].map((name) => [name, { shape: [1, 2, 65, 16], draw: near1 }])),
  build: ({ q, k, v }) => attention(q!, k!, v!, { causal: true }),
  differentiable: { q: 65, k: 65, v: 65 },
  parityOnly: true,
  tolerance: tolerance(65, 16),
});

const padded = [false, true].map((isCausal): OpCase =>
  opCase({
    name: `${isCausal ? "causal " : ""}attention with padding, and an example of padding only`,
    covers: ["attention"],
    inputs: {
      q: { shape: [3, 2, 4, 3], draw: near1 },
      k: { shape: [3, 2, 4, 3], draw: near1 },
      v: { shape: [3, 2, 4, 5], draw: near1 },
      mask: { shape: [3, 1, 1, 4], draw: exactly(1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0) },
    },
    build: ({ q, k, v, mask }) => attention(q, k, v, { mask, causal: isCausal }),
    differentiable: { q: 4, k: 4, v: 4 },
    tolerance: tolerance(4, 3),
  }),
);

const dropped = opCase({
  name: "attention with dropout",
  covers: ["attention"],
  inputs: {
    q: { shape: [2, 5, 4], draw: near1 },
    k: { shape: [2, 6, 4], draw: near1 },
    v: { shape: [2, 6, 3], draw: near1 },
    key: { shape: [], dtype: "uint32", draw: exactly(12_345) },
  },
  build: ({ q, k, v, key }) => attention(q, k, v, { dropout: { rate: 0.5, key } }),
  differentiable: { q: 6, k: 5, v: 5 },
  tolerance: { ...tolerance(6, 4), term: 2 },
});

const rotations = (
  [
    ["rotateByPosition of heads", [2, 3, 5, 6], {}],
    ["rotateByPosition along another axis, with another base", [2, 17, 1, 3, 2], { axis: 1, base: 100 }],
  ] as const
).map(([name, shape, options]): OpCase =>
  opCase({
    name,
    covers: ["rotateByPosition"],
    inputs: { x: { shape, draw: near1 } },
    build: ({ x }) => rotateByPosition(x, options),
    differentiable: { x: 2 },
    tolerance: { c: 4, joined: 2, term: 1 },
  }),
);

export const cases: readonly OpCase[] = [...plain, ...causal, large, ...padded, dropped, ...rotations];
