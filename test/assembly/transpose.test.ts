/*
 * The kernel of transposes against cpu.ts, divided anywhere.
 */
import { beforeAll, expect, test } from "vitest";
import { input } from "../../src/graph/leaves.ts";
import { sizeOf } from "../../src/graph/tensor.ts";
import { transpose } from "../../src/ops/layout/index.ts";
import { Random } from "../../src/random.ts";
import { seed } from "../ops/parity.ts";
import { Machine, reference, unitsOf } from "./machine.ts";

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create();
});

test.each([
  [[2, 2], undefined],
  [[17, 65], undefined],
  [[64, 48], undefined],
  [[3, 1, 130], undefined],
  [
    [3, 19, 33],
    [0, 2, 1],
  ],
  [
    [2, 3, 5, 21],
    [3, 1, 0, 2],
  ],
  [
    [4, 6, 5, 7],
    [1, 3, 2, 0],
  ],
] as const)("%j in the order %j", (shape, order) => {
  const random = new Random(seed);
  const values = Uint32Array.from({ length: sizeOf(shape) }, () => random.below(2 ** 32));
  const example = { node: transpose(input("x", shape, "uint32"), order), values: [values] };
  const expected = Uint32Array.from(reference(example));
  expect(machine.run(example)).toEqual(expected);
  const { units } = unitsOf(example);
  for (let drawing = 0; drawing < 5; drawing++)
    expect(machine.run(example, { cuts: [random.below(units)].filter((cut) => cut > 0) })).toEqual(expected);
});
