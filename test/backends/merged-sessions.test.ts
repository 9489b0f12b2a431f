/*
 * Graphs with merged kernels: leaves that move, products that are added in parts, and memory that values of two types use.
 */
import { afterAll, expect, test } from "vitest";
import { openDevice } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, parameter, state } from "../../src/graph/leaves.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { add, multiply, square, tanh, toFloat } from "../../src/ops/elementwise/index.ts";
import { take } from "../../src/ops/indexing/index.ts";
import { pack } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { argmax, mean, sum } from "../../src/ops/reduce/index.ts";
import { softmax } from "../../src/ops/softmax/index.ts";
import { tiledBackend } from "../ops/tiled-backend.ts";

const source = dawnGpu();
const device = await openDevice(source, { limits: { maxStorageBuffersPerShaderStage: 10 } });
/** Treated as a GPU, where products have parts of the inner axis. */
const gpu = await openDevice(source, { software: false });
afterAll(() => {
  gpu.destroy();
  device.destroy();
  source.release();
});

const waves = (count: number, phase = 0) => Float32Array.from({ length: count }, (_, index) => Math.sin(index + phase));

test("leaves move into a pack after merged dispatches that read them were made", async () => {
  const [a, b] = [parameter("a", [4, 4], waves(16)), parameter("b", [7], waves(7, 1))];
  const total = state("total", [4]);
  const scores = softmax(matmul(square(a), a));
  const perRow = multiply(sum(scores, { axes: 1 }), mean(b));
  const reading = defineGraph({ scores, perRow, spread: mean(square(b)) }, [
    { target: total, value: add(total, sum(multiply(scores, scores), { axes: 0 })) },
  ]);
  const packed = pack([a, b]);
  const factor = mean(square(matmul(a, a)));
  const writing = defineGraph({ factor }, [
    { target: packed, value: multiply(packed, add(0.5, multiply(0.01, factor))) },
  ]);
  const run = async (mergeKernels: boolean) => {
    const session = tiledBackend(device, undefined, mergeKernels).createSession();
    const reader = await session.compile(reading);
    const found: unknown[] = [await reader.run(0, 2), await reader.read("scores")];
    const writer = await session.compile(writing);
    found.push(await reader.run(2, 2), await writer.run(0, 3), await reader.run(4, 1), await writer.run(3, 1));
    found.push(await reader.read("scores"), await reader.read("perRow"));
    for (const leaf of [a, b, total]) found.push(await session.read(leaf));
    session.dispose();
    return { found, dispatches: [reader.dispatches.length, writer.dispatches.length] };
  };
  const [alone, merged] = [await run(false), await run(true)];
  expect(merged.found).toEqual(alone.found);
  expect(merged.dispatches).toEqual([1, 1]);
  expect(alone.dispatches).toEqual([8, 3]);
});

test("products that add the inner axis in parts have the same bits, and so have the sums of their columns", async () => {
  const [x, g] = [parameter("x", [200, 3], waves(600)), parameter("g", [200, 5], waves(1000, 1))];
  const wide = parameter("wide", [5, 200], waves(1000, 2));
  const graph = defineGraph({
    weights: matmul(x, g, { transposeLeft: true }),
    bias: sum(g, { axes: 0 }),
    forward: tanh(matmul(wide, g)),
    back: matmul(wide, parameter("other", [7, 200], waves(1400, 3)), { transposeRight: true }),
  });
  const run = async (mergeKernels: boolean) => {
    const session = tiledBackend(gpu, undefined, mergeKernels).createSession();
    const executable = await session.compile(graph);
    await executable.run(0, 1);
    const found = await Promise.all(Object.keys(graph.outputs).map((name) => executable.read(name)));
    session.dispose();
    return { found, dispatches: executable.dispatches.map(({ kernel }) => kernel) };
  };
  const [alone, merged] = [await run(false), await run(true)];
  expect(merged.found).toEqual(alone.found);
  expect(alone.dispatches).toEqual(["matmul + sum", "matmul + tanh", "matmul"]);
  expect(merged.dispatches).toEqual(["matmul + sum; matmul + tanh; matmul"]);
});

test("kernels do not share a dispatch if a buffer would have values of two types in it", async () => {
  const x = input("x", [4, 8200]);
  const y = parameter("y", [8200, 4], waves(4 * 8200, 2));
  const table = parameter("table", [5, 8200], waves(5 * 8200, 3));
  const products = matmul(x, y);
  // Large products are made before and after, so that their values and the indices take turns in one slot.
  const largest = argmax(softmax(multiply(products, products)), { axes: 1 });
  const graph = defineGraph({ result: matmul(take(table, largest), y), largest: toFloat(largest) });
  const run = async (mergeKernels: boolean) => {
    const session = tiledBackend(device, undefined, mergeKernels).createSession();
    const executable = await session.compile(graph);
    session.write(x, waves(4 * 8200, 5));
    await executable.run(0, 1);
    const found = [await executable.read("result"), await executable.read("largest")];
    session.dispose();
    return { found, kernels: executable.dispatches.map(({ kernel }) => kernel) };
  };
  const [alone, merged] = [await run(false), await run(true)];
  expect(merged).toEqual(alone);
  expect(merged.kernels).toEqual(["matmul + multiply", "softmax", "argmax + toFloat", "matmul"]);
});
