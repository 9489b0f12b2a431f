import { afterAll, beforeAll, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, parameter } from "../../src/graph/leaves.ts";
import { createNodeBackend } from "../../src/node/index.ts";
import { conv2d } from "../../src/ops/convolution/index.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: "webgpu" });
});
afterAll(() => backend.dispose());

test("windows with more elements than 32 bits count are read right", { timeout: 600_000 }, async () => {
  // 2²⁵ windows of 144 elements: the virtual matrix has 1.1 · 2³² elements, and each tensor in memory fills a binding.
  const [size, window] = [1024, 12];
  const x = input("x", [32, size, size, 1]);
  const kernel = Float32Array.from({ length: window ** 2 }, (_, place) => (place % 7) - 3);
  const graph = defineGraph({ out: conv2d(x, parameter("w", [window, window, 1, 1], kernel), { padding: "same" }) });
  const session = backend.createSession();
  const executable = await session.compile(graph);
  const values = new Float32Array(x.size);
  // Small whole numbers, so that every sum is exact.
  for (let index = 0; index < values.length; index++) values[index] = (Math.imul(index, 2654435761) >>> 28) - 8;
  session.write(x, values);
  await executable.run(0, 1);
  const out = await executable.read("out");
  const before = Math.floor((window - 1) / 2);
  const expected = (example: number, row: number, column: number) => {
    let total = 0;
    for (let place = 0; place < window ** 2; place++) {
      const [y, x0] = [row + Math.floor(place / window) - before, column + (place % window) - before];
      if (y < 0 || x0 < 0 || y >= size || x0 >= size) continue;
      total += values[(example * size + y) * size + x0]! * kernel[place]!;
    }
    return total;
  };
  for (const [example, row, column] of [
    [0, 0, 0],
    [17, 500, 1023],
    [29, 873, 411],
    [31, 1023, 1023],
    [31, 700, 3],
  ] as const) {
    expect(out[(example * size + row) * size + column], `${example}, ${row}, ${column}`).toBe(
      expected(example, row, column),
    );
  }
  session.dispose();
});
