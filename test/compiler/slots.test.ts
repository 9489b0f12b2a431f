import { describe, expect, test } from "vitest";
import { assignSlots } from "../../src/compiler/slots.ts";
import type { Group } from "../../src/compiler/fuse.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { relu } from "../../src/ops/elementwise/index.ts";

/** A value with this number of elements; slots depend only on the size. */
const value = (elements: number): Tensor => relu(input("x", [elements]));

const group = (inputs: readonly Tensor[], ...outputs: Tensor[]): Group => ({
  members: [],
  inputs,
  outputs,
  atomics: [],
  follows: [],
  replacements: [],
});

type Regions = Parameters<typeof assignSlots>[1];

function regionsOf(
  groups: readonly Group[],
  placed: Regions = new Map(),
): (value: Tensor) => NonNullable<ReturnType<Regions["get"]>> {
  const regions = new Map(placed);
  assignSlots(groups, regions);
  return (tensor) => regions.get(tensor)!;
}

describe("slots", () => {
  test("inputs and outputs of a group are separate, and a slot is reused after the last read of its value", () => {
    const [a, b, c] = [value(4), value(4), value(4)];
    const regionOf = regionsOf([group([], a), group([a], b), group([b], c)]);
    expect(regionOf(b).buffer).not.toBe(regionOf(a).buffer);
    expect(regionOf(c).buffer).toBe(regionOf(a).buffer);
  });

  test("a value that is read again later keeps its slot until then", () => {
    const [a, b, c, d] = [value(4), value(4), value(4), value(4)];
    const regionOf = regionsOf([group([], a), group([a], b), group([a, b], c), group([c], d)]);
    expect(new Set([a, b, c].map((tensor) => regionOf(tensor).buffer)).size).toBe(3);
    expect([regionOf(a).buffer, regionOf(b).buffer]).toContain(regionOf(d).buffer);
  });

  test("uses the smallest free slot that is large enough", () => {
    const [large, small, between, after] = [value(100), value(10), value(1), value(8)];
    const regionOf = regionsOf([group([], large, small), group([large, small], between), group([between], after)]);
    expect(regionOf(after).buffer).toBe(regionOf(small).buffer);
    expect(regionOf(after)).toMatchObject({ offset: 0, elements: 8 });
  });

  test("a small value does not take the slot of a large one that a later value needs", () => {
    const [large, before, small, later, last] = [value(64), value(1), value(8), value(64), value(1)];
    const groups = [group([], large), group([large], before), group([before], small), group([small], later)];
    const regionOf = regionsOf([...groups, group([small, later], last)]);
    expect(regionOf(later).buffer).toBe(regionOf(large).buffer);
    expect(regionOf(small).buffer.elements).toBe(8);
  });

  test("of several free slots, uses the one that was used last", () => {
    const [a, b, c, d] = [value(4), value(4), value(4), value(4)];
    const regionOf = regionsOf([group([], a), group([], b), group([a], value(1)), group([b], c), group([], d)]);
    expect(regionOf(c).buffer).toBe(regionOf(a).buffer);
    expect(regionOf(d).buffer).toBe(
      regionOf(c).buffer === regionOf(b).buffer ? regionOf(a).buffer : regionOf(c).buffer,
    );
  });

  test("a slot is as large as the largest of its values", () => {
    const [first, second, between, after] = [value(5), value(10), value(1), value(64)];
    const regionOf = regionsOf([group([], first, second), group([first, second], between), group([between], after)]);
    expect(regionOf(after).buffer).toBe(regionOf(second).buffer);
    expect(regionOf(second).buffer.elements).toBe(64);
  });

  test("values that are never read do not share a buffer within their group", () => {
    const [a, b] = [value(4), value(4)];
    const regionOf = regionsOf([group([], a, b)]);
    expect(regionOf(a).buffer).not.toBe(regionOf(b).buffer);
  });

  test("a value with a region keeps it", () => {
    const [a, b] = [value(4), value(4)];
    const region = { buffer: { label: "parameters", elements: 20 }, offset: 16, elements: 4 };
    const regionOf = regionsOf([group([], a), group([a], b)], new Map([[b, region]]));
    expect(regionOf(b)).toBe(region);
    expect(regionOf(a).buffer).not.toBe(region.buffer);
  });
});
