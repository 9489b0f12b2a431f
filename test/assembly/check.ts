/*
 * Compares a kernel of WebAssembly with its reference loop.
 */
import { expect } from "vitest";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { rootOf } from "../../src/graph/views.ts";
import type { NumericArray } from "../../src/ops/kernel.ts";
import { Random } from "../../src/random.ts";
import { seed } from "../ops/parity.ts";
import { reference, unitsOf, type Example, type Machine } from "./machine.ts";

export const random = new Random(seed);

export const uniform = (size: number, low = -1, high = 1) =>
  Float32Array.from({ length: size }, () => random.uniform(low, high));

/** Bounds of the errors, by element or one for all. */
export type Bound = (element: number, expected: number) => number;

/** A node whose inputs are leaves of these values. */
export function example(
  build: (...leaves: Tensor[]) => Tensor,
  ...inputs: (readonly [shape: readonly number[], NumericArray])[]
): Example {
  const leaves = inputs.map(([shape, values], position) =>
    input(`input ${position}`, shape, values instanceof Uint32Array ? "uint32" : "float32"),
  );
  return { node: rootOf(build(...leaves)), values: inputs.map(([, values]) => values) };
}

function expectNear(actual: NumericArray, expected: Float64Array, bound: Bound): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, element) => {
    const wanted = expected[element]!;
    const error = Math.abs(value - wanted);
    if (Object.is(value, wanted) || (Number.isNaN(value) && Number.isNaN(wanted)) || value === wanted) return;
    if (!(error <= bound(element, wanted))) {
      expect.fail(
        `seed ${seed}, element ${element}: ${value} instead of ${wanted}, more than ${bound(element, wanted)} off`,
      );
    }
  });
}

/** Cuts of the units at random multiples of the grain, at most three. */
function randomCuts(given: Example): number[] {
  const { units, grain } = unitsOf(given);
  const places = Math.ceil(units / grain) - 1;
  if (places <= 0) return [];
  const cuts = Array.from({ length: 3 }, () => grain * (1 + random.below(places)));
  return [...new Set(cuts)].sort((a, b) => a - b);
}

export function expectSameBits(actual: NumericArray, expected: NumericArray, what: string): void {
  const [bits, wanted] = [actual, expected].map(({ buffer }) => new Uint32Array(buffer));
  const element = bits!.findIndex((word, index) => word !== wanted![index]);
  if (element >= 0)
    expect.fail(`seed ${seed}, ${what}: element ${element} is ${actual[element]}, not ${expected[element]}`);
}

/** Every way to run a kernel gives the same bits, near those of the reference. */
export function checkKernel(machine: Machine, given: Example, bound: Bound): void {
  const whole = machine.run(given);
  expectNear(whole, reference(given), bound);
  expectSameBits(machine.run(given, { cuts: randomCuts(given) }), whole, "divided");
  const fills = given.values.map(() => true);
  expectSameBits(machine.run(given, { fills, cuts: randomCuts(given) }), whole, "operands computed");
  if (given.node.dtype !== "float32") return;
  const finished = machine.run(given, { finish: true, cuts: randomCuts(given) });
  expectSameBits(negated(finished), whole, "finished");
}

/** By the sign bits, of NaN too. */
const negated = (values: NumericArray) =>
  new Float32Array(new Uint32Array(values.buffer).map((word) => word ^ (2 ** 31)).buffer);
