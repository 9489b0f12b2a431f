import { takeBatch } from "../../src/ops/gather/index.ts";
import type { DType, Shape } from "../../src/graph/tensor.ts";
import {
  exactly,
  integersBelow,
  opCase,
  permutation,
  uniform,
  type Draw,
  type OpCase,
  type Tolerance,
} from "./cases.ts";

const EXAMPLES = 29;
const COUNT = 17;

const drawn: Readonly<Record<DType, Draw>> = {
  uint8: integersBelow(256),
  uint32: integersBelow(2 ** 32),
  float32: uniform(-2, 2),
};

/** Standardized as for MNIST: (value / 255 − 0.1307) / 0.3081. */
const SCALE = { scale: 1 / 255 / 0.3081, offset: -0.1307 / 0.3081 };

// A product and a sum, with a scale and an offset that are themselves rounded.
const SCALED: Tolerance = { c: 4, joined: 2 };

const shapes: readonly Shape[] = [[EXAMPLES, 13], [EXAMPLES, 784], [EXAMPLES, 1], [EXAMPLES], [EXAMPLES, 3, 5, 2]];

const batches = (["uint8", "float32", "uint32"] as const).flatMap((dtype) =>
  shapes.flatMap((shape) =>
    [0, 12].flatMap((start) => [
      opCase({
        name: `takeBatch from ${dtype} [${shape.join(", ")}] at ${start}`,
        covers: ["takeBatch"],
        inputs: {
          data: { shape, dtype, draw: drawn[dtype] },
          start: { shape: [], dtype: "uint32", draw: exactly(start) },
        },
        build: ({ data, start: first }) => takeBatch(data, { start: first, count: COUNT, ...SCALE }),
        tolerance: SCALED,
      }),
      opCase({
        name: `takeBatch from ${dtype} [${shape.join(", ")}] at ${start} of an order`,
        covers: ["takeBatch"],
        inputs: {
          data: { shape, dtype, draw: drawn[dtype] },
          start: { shape: [], dtype: "uint32", draw: exactly(start) },
          order: { shape: [EXAMPLES], dtype: "uint32", draw: permutation },
        },
        build: ({ data, start: first, order }) => takeBatch(data, { start: first, order, count: COUNT, ...SCALE }),
        tolerance: SCALED,
      }),
    ]),
  ),
);

const special: OpCase[] = [
  opCase({
    name: "takeBatch of bytes as they are",
    covers: ["takeBatch"],
    inputs: {
      data: { shape: [7, 5], dtype: "uint8", draw: integersBelow(256), special: [0, 255, 128] },
      start: { shape: [], dtype: "uint32", draw: exactly(3) },
    },
    build: ({ data, start }) => takeBatch(data, { start, count: 4 }),
    tolerance: "exact",
  }),
  opCase({
    name: "takeBatch by an order longer than the data",
    covers: ["takeBatch"],
    inputs: {
      data: { shape: [3, 5], dtype: "uint8", draw: integersBelow(256) },
      start: { shape: [], dtype: "uint32", draw: exactly(2) },
      order: { shape: [9], dtype: "uint32", draw: integersBelow(3) },
    },
    build: ({ data, start, order }) => takeBatch(data, { start, order, count: 7 }),
    tolerance: "exact",
  }),
  opCase({
    name: "takeBatch of one row",
    covers: ["takeBatch"],
    inputs: {
      data: { shape: [65, 17], dtype: "uint8", draw: integersBelow(256) },
      start: { shape: [1], dtype: "uint32", draw: exactly(64) },
    },
    build: ({ data, start }) => takeBatch(data, { start, count: 1, scale: 1 / 256 }),
    tolerance: "exact",
  }),
  opCase({
    name: "takeBatch of 512 images by an order",
    covers: ["takeBatch"],
    inputs: {
      data: { shape: [600, 784], dtype: "uint8", draw: integersBelow(256) },
      start: { shape: [], dtype: "uint32", draw: exactly(88) },
      order: { shape: [600], dtype: "uint32", draw: permutation },
    },
    build: ({ data, start, order }) => takeBatch(data, { start, order, count: 512, ...SCALE }),
    tolerance: SCALED,
  }),
];

export const cases: readonly OpCase[] = [...batches, ...special];
