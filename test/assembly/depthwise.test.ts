/*
 * The kernels of depthwise convolutions against cpu.ts, over windows of all kinds and divided anywhere.
 */
import { beforeAll, expect, test } from "vitest";
import { input } from "../../src/graph/leaves.ts";
import { sizeOf } from "../../src/graph/tensor.ts";
import { depthwise, depthwiseWeights } from "../../src/ops/convolution/depthwise.ts";
import { backwardWindows, windowsOf, type Pair, type WindowOptions } from "../../src/ops/convolution/windows.ts";
import { Random } from "../../src/random.ts";
import { UNIT_ROUNDOFF } from "../ops/accuracy.ts";
import { seed } from "../ops/parity.ts";
import { Machine, reference, unitsOf, type Example } from "./machine.ts";

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create();
});

const random = new Random(seed);

const drawn = (shape: readonly number[]) => Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-1, 1));

type Shape = readonly [number, number, number, number];

const cases: Readonly<Record<string, readonly [Shape, Pair, WindowOptions]>> = {
  "3×3, same": [[2, 5, 11, 16], [3, 3], { padding: "same" }],
  "fewer channels than a vector": [[2, 6, 9, 3], [3, 3], { padding: 1 }],
  "channels that fill no vector": [[1, 4, 9, 37], [3, 3], {}],
  "wider than the image": [[1, 2, 2, 5], [3, 6], { padding: [2, 4] }],
  "all padding": [[1, 1, 1, 2], [2, 2], { padding: 4 }],
  strides: [[2, 8, 19, 4], [3, 2], { stride: [2, 3], padding: 1 }],
  dilation: [[1, 9, 16, 6], [3, 3], { dilation: [1, 2], padding: 2 }],
  "gaps between windows": [[1, 17, 17, 2], [2, 2], { stride: 5 }],
};

/** Whole, in parts and finished, a kernel gives the same bits, near those of the reference. */
function check(example: Example, terms: number): void {
  const whole = machine.run(example);
  const expected = reference(example);
  // An absolute bound: sums of products of numbers below 1, whose terms may cancel.
  const bound = 4 * UNIT_ROUNDOFF * Math.sqrt(terms) * Math.max(1, Math.sqrt(terms) / 3);
  whole.forEach((value, element) => expect(Math.abs(value - expected[element]!)).toBeLessThanOrEqual(bound));
  const { units, grain } = unitsOf(example);
  for (let drawing = 0; drawing < 5; drawing++) {
    const places = Math.ceil(units / grain);
    const cuts = [random.below(places), random.below(places)].map((place) => place * grain).sort((a, b) => a - b);
    expect(machine.run(example, { cuts: cuts.filter((cut) => cut > 0) })).toEqual(whole);
  }
  expect(machine.run(example, { finish: true })).toEqual(whole.map((value) => -value));
}

test.each(Object.entries(cases))("%s", (_, [shape, kernel, options]) => {
  const windows = windowsOf("test", shape, kernel, options);
  const back = backwardWindows(windows, [shape[1], shape[2]]);
  const [channels, places] = [shape[3], kernel[0] * kernel[1]];
  const result = [shape[0], ...windows.count, channels];
  const [images, values] = [input("images", shape), input("values", result)];
  const weights = input("weights", [...kernel, 1, channels]);
  const given = [images, values, weights].map((leaf) => drawn(leaf.shape)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (const flipped of [false, true])
    check({ node: depthwise(images, weights, windows, { flipped }), values: [given[0], given[2]] }, places);
  check({ node: depthwise(values, weights, back, { flipped: true }), values: [given[1], given[2]] }, places);
  const terms = shape[0] * windows.count[0] * windows.count[1];
  check({ node: depthwiseWeights(images, values, windows), values: [given[0], given[1]] }, terms);
});
