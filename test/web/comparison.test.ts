/*
 * The comparison of devices on the tabs that have one run at a time.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Backend } from "../../src/index.ts";
import { createConvolutionService } from "../../src/web/convolution/service/service.ts";
import type { ComparedRun, ComparisonApi } from "../../src/web/shared/comparison-contract.ts";
import type { TextEvent, TextRunSettings } from "../../src/web/text/contract.ts";
import { createTextService } from "../../src/web/text/service/service.ts";
import { acquireWasmBackend } from "../wasm.ts";
import { configOf, listen } from "./playground/listen.ts";

let backend: Backend;
beforeAll(async () => (backend = await acquireWasmBackend()));
afterAll(() => backend.dispose());

/** The losses on WebAssembly, after a check that those of the reference are the same but for rounding. */
async function lossesOf(service: ComparisonApi, steps: number): Promise<number[]> {
  const { runs, largestDifference } = (await service.compare(steps))!;
  expect(runs.map(({ kind }) => kind)).toEqual(["wasm", "cpu"]);
  const [wasm, cpu] = runs as [ComparedRun, ComparedRun];
  expect(wasm.losses).toHaveLength(steps);
  expect(cpu.losses.length).toBeGreaterThanOrEqual(2);
  const differences = Array.from(cpu.losses, (loss, step) => Math.abs(loss - wasm.losses[step]!));
  expect(Math.max(...differences)).toBe(largestDifference);
  // Rounding of float32 sums, and Adam, which divides small gradients by their size.
  expect(largestDifference).toBeLessThan(1e-4);
  for (const { examplesPerSecond } of runs) expect(examplesPerSecond).toBeGreaterThan(0);
  return [...wasm.losses];
}

test("the Convolution tab compares its own network, with its own seed and learning rate", async () => {
  const service = createConvolutionService({ getBackend: async () => backend, getPage: () => "http://localhost/" });
  const settings = { data: "digits", seed: 1, rate: 0.002, batch: 8 } as const;
  await expect(service.compare(3)).rejects.toThrow("no network is ready yet");
  await service.configure(1, settings);
  const losses = await lossesOf(service, 3);
  expect(await lossesOf(service, 3)).toEqual(losses);
  await service.configure(2, { ...settings, rate: 0.01 });
  const faster = await lossesOf(service, 3);
  expect(faster[0]).toBe(losses[0]);
  expect(faster[1]).not.toBe(losses[1]);
  await service.configure(3, { ...settings, seed: 2 });
  expect((await lossesOf(service, 3))[0]).not.toBe(losses[0]);
});

test("the Text tab compares its own network: the first loss is that of its own first step", async () => {
  const events: TextEvent[] = [];
  const service = createTextService(async () => backend);
  await service.subscribe((event) => events.push(event));
  const settings: TextRunSettings = {
    data: "reversing",
    layers: 1,
    heads: 2,
    width: 16,
    context: 16,
    seed: 1,
    rate: 0.01,
    batch: 4,
  };
  await service.configure(1, settings);
  const losses = await lossesOf(service, 3);
  await service.step(2);
  const { loss: bits } = events.find((event) => event.kind === "progress")!;
  expect(losses[0]).toBeCloseTo(bits * Math.LN2, 6);
});

test.each([
  configOf("classify", { batch: 1024, count: 20 }),
  configOf("regress", { batch: 1024, count: 20 }),
  configOf("neuron", { batch: 1024, rule: "logistic" }),
  configOf("surface", {}),
])("the Playground compares its own model, $mode: the first loss is that of all points", async (config) => {
  const playground = listen(backend);
  await playground.api.configure(config);
  const losses = await lossesOf(playground.service, 3);
  expect(losses[0]).toBeCloseTo(playground.last().loss, 5);
  const networks = await playground.service.dispatches();
  expect(networks.map(({ dispatches }) => dispatches.length > 0)).toEqual([true]);
  // What the page trains is as before.
  expect(playground.last().step).toBe(0);
});

test("a pause, a new setting and a hidden tab cancel a comparison, and so does the visitor", async () => {
  const playground = listen(backend);
  await playground.api.configure(configOf("classify", {}));
  const commands = [
    () => playground.api.pause(),
    () => playground.api.configure(configOf("classify", { seed: 2 })),
    () => playground.api.show(false),
    () => playground.service.cancelComparison(),
  ];
  for (const command of commands) {
    const compared = playground.service.compare(1_000_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await command();
    expect(await compared).toBeUndefined();
  }
});
