import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend, Executable, NumericArray, Session } from "../../src/backends/backend.ts";
import { createWebGPUBackend } from "../../src/backends/on-demand.ts";
import { kernelCases } from "../../src/bench/cases.ts";
import { requireClose, ResultError } from "../../src/bench/check.ts";
import { runBenchmark } from "../../src/bench/index.ts";
import { measureKernel } from "../../src/bench/kernels.ts";
import { metered } from "../../src/bench/memory.ts";
import { quickly } from "../../src/bench/replay.ts";
import { denseStep, gptStep } from "../../src/bench/step-cases.ts";
import { measureStep, measureStepInDetail, type StepBench } from "../../src/bench/step.ts";
import { OptionError } from "../../src/errors.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { reportOf } from "./reports.ts";

const settings = { ...quickly, samples: 3, sampleSeconds: 1e-3, warmUpSeconds: 1e-3, mostSeconds: 0.1 };
const { ceilings } = reportOf();

/** Changes values that are read from a backend, and counts the steps that it runs. */
function tampered(backend: Backend, tamper: (values: NumericArray, name: string) => void) {
  const counts = { steps: 0, profiles: 0 };
  const changed = (values: NumericArray, name: string) => {
    tamper(values, name);
    return values;
  };
  const executableOf = (executable: Executable): Executable => ({
    dispatches: executable.dispatches,
    async run(first, count) {
      counts.steps += count;
      const traces = await executable.run(first, count);
      for (const [name, values] of Object.entries(traces)) tamper(values, name);
      return traces;
    },
    profile(step) {
      counts.profiles++;
      return executable.profile!(step);
    },
    read: async (output) => changed(await executable.read(output), output),
  });
  const sessionOf = (session: Session): Session => ({
    compile: async (graph) => executableOf(await session.compile(graph)),
    write: (leaf, values, first) => session.write(leaf, values, first),
    read: async (leaf) => changed(await session.read(leaf), (leaf.attributes as { name: string }).name),
    dispose: () => session.dispose(),
  });
  return { backend: { ...backend, createSession: () => sessionOf(backend.createSession()) }, counts };
}

const caseNamed = (name: string) => kernelCases.find((each) => each.name === name)!;

/** Two small layers, at an unusual batch size. */
const smallStep = denseStep("small step", { hidden: [24, 16], batch: 7 });
const smallText = gptStep("small text", { context: 5, width: 8, batch: 3 });

describe("on one device", () => {
  let bench: StepBench;
  beforeAll(async () => {
    const { source, meter } = metered(dawnGpu({ flags: ["disable-dawn-features=timestamp_quantization"] }));
    bench = { backend: await createWebGPUBackend(source), ceilings, clock: "timestamps", settings, meter };
  });
  afterAll(() => bench.backend.dispose());

  test.each([
    "matmul 64x10x128, right transposed",
    "column sums 512x128",
    "cross-entropy 64x10",
    "adam 100000",
    "take batch 64x784",
  ])("%s is right, and timed", async (name) => {
    const row = await measureKernel(bench, caseNamed(name));
    expect(row).toMatchObject({ name, clock: "timestamps", seconds: { samples: 3 } });
    expect(row.seconds.median).toBeGreaterThan(0);
  });

  test.each([
    ["matmul 64x128x10", "product"],
    ["matmul 1024x1024x1024", "product"],
    ["sum 1000000", "sums"],
    ["cross-entropy 64x10", "loss"],
    ["cross-entropy 64x10", "gradient"],
    ["adam 100000", "weights"],
    ["adam 100000", "adam.secondMoment"],
    ["take batch 64x784", "batch"],
  ])("%s with a wrong %s is refused and not timed", async (name, spoiled) => {
    const { backend, counts } = tampered(bench.backend, (values, of) => {
      if (of === spoiled) values[values.length - 1]! += of === "sums" ? 1 : 0.01;
      if (of === spoiled && name.startsWith("adam")) values[99_999]! += 0.01;
    });
    const measuring = measureKernel({ ...bench, backend }, caseNamed(name));
    await expect(measuring).rejects.toThrow(ResultError);
    await expect(measuring).rejects.toThrow(new RegExp(`^${name}, ${spoiled}: element \\d+ is .*, but .* on the CPU`));
    expect(counts).toEqual({ steps: 1, profiles: 0 });
  });

  test("a correct step is timed", async () => {
    const row = await measureStepInDetail(bench, smallStep);
    expect(row).toMatchObject({ network: "784-24-16-10", batch: 7, dispatches: row.kernels.length });
    expect(row.kernels.every(({ seconds }) => seconds.median > 0)).toBe(true);
    expect(row.imagesPerSecond).toBeCloseTo(7 / row.seconds.median);
    // The data set and its order, and little more.
    expect(row.gpuBytes).toBeGreaterThan(60_000 * (784 + 8));
    expect(row.gpuBytes).toBeLessThan(1.05 * 60_000 * (784 + 8));
  });

  test("a correct step of a GPT is timed", async () => {
    const { row } = await measureStep(bench, smallText);
    expect(row).toMatchObject({ network: "gpt 2 × 8", batch: 3 });
    expect(row.imagesPerSecond).toBeCloseTo(3 / row.seconds.median);
  });

  test.each(["loss", "layers.gpt.weight", "adam.firstMoment"])(
    "a step of a GPT with a wrong %s is refused",
    async (spoiled) => {
      let reads = 0;
      const { backend, counts } = tampered(bench.backend, (values, of) => {
        if (of === spoiled && (++reads > 1 || of === "loss")) values[0]! += 1e-3;
      });
      await expect(measureStep({ ...bench, backend }, smallText)).rejects.toThrow(/^small text, first step/);
      expect(counts).toEqual({ steps: 1, profiles: 0 });
    },
  );

  test.each(["loss", "correct", "layers.0.weight", "layers.2.bias", "adam.firstMoment", "adam.secondMoment"])(
    "a step with a wrong %s is refused and not timed",
    async (spoiled) => {
      let reads = 0;
      const { backend, counts } = tampered(bench.backend, (values, of) => {
        // The first read of a leaf returns its initial values.
        if (of === spoiled && (++reads > 1 || !of.includes(".")))
          values[values.length > 9 ? 9 : 0]! += of === "correct" ? 1 : 1e-4;
      });
      const measuring = measureStep({ ...bench, backend }, smallStep);
      await expect(measuring).rejects.toThrow(ResultError);
      await expect(measuring).rejects.toThrow(/^small step, first step/);
      expect(counts).toEqual({ steps: 1, profiles: 0 });
    },
  );

  test("the meter does not count destroyed buffers", async () => {
    const before = bench.meter.bytes;
    const session = bench.backend.createSession();
    await session.compile(caseNamed("matmul 64x128x10").build().graph);
    expect(bench.meter.bytes).toBeGreaterThan(before + 4 * 64 * 128);
    session.dispose();
    expect(bench.meter.bytes).toBe(before);
  });
});

describe("the whole benchmark", () => {
  const options = { runtime: "a test", system: "here", quick: true, growth: false, filter: "" };

  test("continues after a wrong result, which it reports", async () => {
    const kinds: string[] = [];
    const report = await runBenchmark({
      ...options,
      source: dawnGpu(),
      filter: "CROSS-ENTROPY",
      createBackend: async (source) =>
        tampered(await createWebGPUBackend(source), (values, of) => {
          if (of === "gradient" && values.length === 640) values[0] = NaN;
        }).backend,
      emit: ({ kind }) => kinds.push(kind),
    });
    expect(kinds).toEqual(["beginning", "wrong", "kernel"]);
    expect(report.kernels.map(({ name }) => name)).toEqual(["cross-entropy 512x10"]);
    expect(report.wrong).toEqual([
      { name: "cross-entropy 64x10", why: expect.stringMatching(/^cross-entropy 64x10, gradient: element 0 is NaN/) },
    ]);
    // Dawn rounds timestamps by default.
    expect(report.clock).toBe("wall clock");
    expect(report.kernels[0]!.clock).toBe("wall clock");
    for (const ceiling of Object.values(report.ceilings)) expect(ceiling).toBeGreaterThan(1e6);
  });

  test("refuses a filter that matches nothing, with examples of names", async () => {
    const running = runBenchmark({ ...options, source: dawnGpu(), filter: "lstm" });
    await expect(running).rejects.toThrow(OptionError);
    await expect(running).rejects.toThrow(/"lstm" in its name.*"matmul 64x784x128"/);
  });
});

describe("the comparison", () => {
  test("accepts only rounding errors", () => {
    const expected = [1, -2, 3];
    requireClose("x", Float32Array.from([1 + 2 ** -22, -2, 3]), expected, { joined: 4 });
    expect(() => requireClose("x", Float32Array.from([1, -2, 3.001]), expected, { joined: 4 })).toThrow(
      /^x: element 2 is 3\.000/,
    );
    expect(() => requireClose("x", Float32Array.from([1, NaN, 3]), expected, { units: 1e9 })).toThrow(
      /element 1 is NaN/,
    );
    expect(() => requireClose("x", Float32Array.from([1, -2]), expected)).toThrow(
      /2 values were returned, but 3 were expected/,
    );
    expect(() => requireClose("x", Float32Array.from([1, -2, 3 + 2 ** -21]), expected)).toThrow(ResultError);
  });
});
