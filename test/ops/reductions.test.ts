/*
 * Reductions in parts, which only GPUs with many threads reduce so early: the adapter of this machine is taken for one.
 */
import { afterAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { launchLimitsOf } from "../../src/backends/webgpu/rules.ts";
import { WebGPUSession } from "../../src/backends/webgpu/session.ts";
import { openDevice } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, parameter } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { add, sqrt, square } from "../../src/ops/elementwise/index.ts";
import { firstNonFinite } from "../../src/ops/non-finite/index.ts";
import { argmax, max, mean, product, sum } from "../../src/ops/reduce/index.ts";
import { reductionLaunches } from "../../src/ops/webgpu/reductions.ts";
import { GuardedBuffers } from "../guarded-buffers.ts";
import { parityTests } from "./parity-suite.ts";
import { cases } from "./reduce.cases.ts";

const source = dawnGpu();
const device = await openDevice(source);
Object.assign(device, { adapter: { ...device.adapter, software: false } });
const limits = { ...launchLimitsOf(device), choiceOf: undefined };
afterAll(() => {
  device.destroy();
  source.release();
});

const newSession = () =>
  new WebGPUSession(device, { makeBuffers: (owner) => new GuardedBuffers(owner), mergeKernels: false });

const backend: Backend = {
  kind: "webgpu",
  adapter: device.adapter,
  maxTensorBytes: 2 ** 27,
  createSession: newSession,
  lost: device.lost,
  async restart() {},
  dispose() {},
};

/** The values of a tensor, twice, and the dispatches that compute it. */
async function computed(y: Tensor) {
  const session = newSession();
  const executable = await session.compile(defineGraph({ y }));
  const values = [];
  for (let run = 0; run < 2; run++) {
    const { y: scalar } = await executable.run(0, 1);
    values.push([...(scalar ?? (await executable.read("y")))]);
  }
  session.dispose();
  return { values: values[0]!, again: values[1]!, dispatches: executable.dispatches };
}

/** 0, 1, 2, … 6, 0, … */
const counting = (size: number) => Float32Array.from({ length: size }, (_, index) => index % 7);

describe("values", () => {
  const long = /^(sum|mean|max|argmax) of \[(100003|2, 50001|50001, 2|33001, 17)\]/;
  parityTests(
    async () => backend,
    cases.filter(({ name }) => long.test(name)),
  );

  test("a sum in parts takes two dispatches, with its prologue and its epilogue, and always gives the same bits", async () => {
    const x = parameter("x", [100_003], counting(100_003));
    const { values, again, dispatches } = await computed(add(sqrt(sum(square(x))), 1));
    // 14,286 runs of 0 … 6 and the 0 after them; all partial sums are whole numbers below 2^24.
    expect(values).toEqual([Math.fround(Math.fround(Math.sqrt(14_286 * 91)) + 1)]);
    expect(again).toEqual(values);
    expect(dispatches.map(({ kernel }) => kernel)).toEqual(["sum + sqrt + add", "sum + sqrt + add"]);
    expect(dispatches.map(({ grid }) => grid[0])).toEqual([24, 1]);
  });

  test("the mean of a column that no part divides is over all rows", async () => {
    const x = parameter("x", [33_001, 3], new Float32Array(99_003).fill(0.5));
    expect((await computed(mean(x, { axes: 0 }))).values).toEqual([0.5, 0.5, 0.5]);
  });

  test("NaN in one part reaches the results, and its place", async () => {
    const numbers = counting(70_001);
    numbers[50_000] = NaN;
    numbers[60_000] = NaN;
    const x = parameter("x", [70_001], numbers);
    expect((await computed(sum(x))).values).toEqual([NaN]);
    expect((await computed(max(x))).values).toEqual([NaN]);
    expect((await computed(argmax(x))).values).toEqual([50_000]);
    expect((await computed(firstNonFinite([sum(x)]))).values[0]).not.toBe(0);
  });

  test("the maximum and its place, in one kernel, are those of the first of equal elements", async () => {
    const x = parameter("x", [70_001], counting(70_001));
    const session = newSession();
    const executable = await session.compile(defineGraph({ place: argmax(x), largest: max(x) }));
    expect(executable.dispatches.length).toBe(2);
    const { place, largest } = await executable.run(0, 1);
    expect([place![0], largest![0]]).toEqual([6, 6]);
    session.dispose();
  });

  test("a product in parts multiplies every factor", async () => {
    const factors = new Float32Array(40_000).fill(1);
    for (const place of [0, 4095, 4096, 39_999]) factors[place] = 3;
    expect((await computed(product(parameter("x", [40_000], factors)))).values).toEqual([81]);
  });
});

describe("parts", () => {
  const x = input("x", [1]);
  const launchesOf = (outputs: number, count: number, stride: number) =>
    reductionLaunches({ outputs, count, stride }, { source: "", ofParts: "", reads: { x } }, limits);

  test.each([
    [1, 32_768, 1],
    [1, 809_856, 1],
    [1, 1_000_000, 1],
    [1, 100_000_007, 1],
    [7, 65_537, 1],
    [16, 50_176, 16],
    [10, 60_000, 10],
    [576, 50_176, 576],
  ])("%i results of %i members at a distance of %i are divided among 8 to 512 workgroups", (outputs, count, stride) => {
    const [first, second, ...more] = launchesOf(outputs, count, stride);
    expect(more).toEqual([]);
    const { PARTS: parts, LENGTH: length } = first!.constants as Record<string, number>;
    expect((parts! - 1) * length!).toBeLessThan(count);
    expect(parts! * length!).toBeGreaterThanOrEqual(count);
    expect(first!.grid[0]).toBeGreaterThanOrEqual(8);
    expect(first!.grid[0]).toBeLessThanOrEqual(512);
    expect(second!.constants["COUNT"]).toBe(parts);
    expect(first!.parts!.elements).toBe(outputs * parts!);
  });

  test("few members, or results for all workgroups, take one dispatch", () => {
    expect(launchesOf(1, 32_767, 1).length).toBe(1);
    expect(launchesOf(768, 50_257, 1).length).toBe(1);
  });
});
