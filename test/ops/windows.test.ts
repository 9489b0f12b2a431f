import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { GraphError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input } from "../../src/graph/leaves.ts";
import { drawWindows } from "../../src/ops/windows/index.ts";

const data = input("data", [1, 100], "uint8");
const key = constant(7, [], "uint32");
const first = constant(0, [], "uint32");

describe("drawWindows", () => {
  test("draws every position that fits about equally often", async () => {
    const count = 9000;
    const session = createCpuBackend().createSession();
    const windows = drawWindows(data, { key, first, count, length: 98 });
    const executable = await session.compile(defineGraph({ windows }));
    session.write(
      data,
      Uint8Array.from({ length: 100 }, (_, index) => index),
    );
    await executable.run(0, 1);
    const values = await executable.read("windows");
    const starts = Array.from({ length: count }, (_, row) => values[98 * row]!);
    // Three positions; four standard deviations of a binomial distribution.
    for (const start of [0, 1, 2]) {
      const found = starts.filter((other) => other === start).length;
      expect(Math.abs(found - count / 3)).toBeLessThan(4 * Math.sqrt((count * 2) / 9));
    }
    expect(values[97]).toBe(starts[0]! + 97);
  });

  test("refuses data, sizes and scalars that do not fit", () => {
    const options = { key, first, count: 2, length: 5 };
    expect(() => drawWindows(input("data", [3, 100], "uint8"), options)).toThrow("Give uint8 data [1, elements]");
    expect(() => drawWindows(input("data", [100], "uint8"), options)).toThrow(GraphError);
    expect(() => drawWindows(input("data", [1, 100]), options)).toThrow(GraphError);
    for (const length of [0, 101]) expect(() => drawWindows(data, { ...options, length })).toThrow(GraphError);
    expect(() => drawWindows(data, { ...options, key: constant(1) })).toThrow(GraphError);
    expect(() => drawWindows(data, { ...options, first: constant([1, 2], [2], "uint32") })).toThrow(GraphError);
  });
});
