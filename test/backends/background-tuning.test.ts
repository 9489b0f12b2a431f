/*
 * The tuner while a training runs. On a software adapter it does so only if it is asked to.
 */
import { afterAll, describe, expect, test, vi } from "vitest";
import type { Backend, DispatchDescription } from "../../src/backends/backend.ts";
import { createWebGPUBackend } from "../../src/backends/on-demand.ts";
import { BackgroundTuner } from "../../src/backends/webgpu/background-tuning.ts";
import type { TuningStore, WebGPUOptions } from "../../src/backends/webgpu/index.ts";
import { WebGPUExecutable } from "../../src/backends/webgpu/executable.ts";
import { launchLimitsOf } from "../../src/backends/webgpu/rules.ts";
import { TimeBudget } from "../../src/backends/webgpu/time-budget.ts";
import { Choices } from "../../src/backends/webgpu/tuning-choices.ts";
import { openDevice } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { layers, sequential, stepProducts } from "../../src/nn/index.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { matmul, matrixProducts } from "../../src/ops/matmul/index.ts";
import { promisingTilings } from "../../src/ops/matmul/webgpu-candidates.ts";
import { productClass } from "../../src/ops/matmul/webgpu-tilings.ts";
import { createTrainer, type Recovery, type TrainerOptions } from "../../src/train/index.ts";
import { clouds } from "../train/examples.ts";
import { losableSource } from "../gpu.ts";

describe("the time of background work", () => {
  test("is 2 % of the elapsed time on average, and at most 10 ms are saved up", () => {
    const budget = new TimeBudget();
    budget.earn(1000);
    expect(budget.isOpen).toBe(false);
    let spent = 0;
    let longestPause = 0;
    let last = 1000;
    for (let now = 1000; now <= 61_000; now += 7) {
      budget.earn(now);
      if (!budget.isOpen) continue;
      longestPause = Math.max(longestPause, now - last);
      last = now;
      budget.spend(8);
      spent += 8;
    }
    expect(spent / 60_000).toBeGreaterThan(0.0195);
    expect(spent / 60_000).toBeLessThan(0.0205);
    expect(longestPause).toBeLessThanOrEqual(8 / 0.02 + 7);
    budget.earn(10_000_000);
    budget.spend(10);
    expect(budget.isOpen).toBe(false);
  });

  test("leaves out a product that may delay a step by more than the limit", async () => {
    const kernels: string[] = [];
    const onKernel = (name: string) => kernels.push(name);
    const short = { share: 1, longestDelay: 1e-9 };
    await after(40, { tuning: new MemoryStore(), backgroundTuning: short, onKernel });
    const alone: string[] = [];
    await after(40, { onKernel: (name) => alone.push(name) });
    expect(kernels).toEqual(alone);
  });
});

const dawn = dawnGpu();
afterAll(() => dawn.release());
/** Dawn is opened only once. */
const source = { ...dawn, release() {} };

const device = await openDevice(source);
const limits = launchLimitsOf(device);
device.destroy();

/** Keeps choices in memory. */
class MemoryStore implements TuningStore {
  text: string | undefined;

  constructor(text?: string) {
    this.text = text;
  }

  get choices(): Record<string, string> {
    return JSON.parse(this.text ?? "{}") as Record<string, string>;
  }

  async load() {
    return this.text;
  }

  async save(_key: string, text: string) {
    this.text = text;
  }
}

const BATCH = 33;
/** Its products are a convolution and the gradient of its weights. */
const model = () =>
  sequential([layers.reshape([5, 5, 2]), layers.conv2d(3, 5), layers.flatten()], { inputShape: [50], seed: 4 });
const classes = stepProducts(model(), BATCH).map(productClass).sort();

interface RunOptions extends Pick<TrainerOptions, "microBatchSize" | "onRecovery"> {
  /** The number of steps, … */
  readonly steps?: number;
  /** … or whether to stop, asked after each submit of two steps. */
  readonly until?: (step: number) => boolean;
}

/** @returns the state after a training, and the loss of each step */
async function trained(backend: Backend, { steps = 1e6, until = () => false, ...options }: RunOptions) {
  const data = { dataset: clouds(99, { width: 50 }), batchSize: BATCH, epochs: 1e6, maxSteps: steps };
  const trainer = await createTrainer({ model: model(), backend, learningRate: 0.01, ...data, ...options });
  const losses: number[] = [];
  for await (const { step, loss } of trainer.fit({ every: 1, stepsPerSubmit: 2, pauseEvery: 2 })) {
    losses.push(loss);
    if (step % 2 === 0 && until(step)) break;
  }
  const { step, parameters, optimizer } = await trainer.snapshot();
  trainer.dispose();
  return { step, losses, parameters, optimizer };
}

/** What a backend gives after as many steps. */
async function after(steps: number, options?: WebGPUOptions, run?: RunOptions) {
  const backend = await createWebGPUBackend(source, options);
  const state = await trained(backend, { steps, ...run });
  backend.dispose();
  return state;
}

/** Tuning that takes as much time as it needs, since compiling for a software adapter takes long. */
const backgroundTuning = { share: 1, longestDelay: Infinity };

describe("the time that JavaScript takes for a candidate", () => {
  /** Tunes one small product by a clock of its own, where each piece of JavaScript's work takes `cost` milliseconds. */
  async function tuned({ cost, share = 0.02, mostTurns }: { cost: number; share?: number; mostTurns: number }) {
    const compiled: number[] = [];
    const store = new MemoryStore();
    let now = 0;
    let isTurn = false;
    let readings = 0;
    const opened = await openDevice(source, { onKernel: () => compiled.push(now) });
    const clock = () => {
      // Outside of a turn, every second reading is the end of a piece of work.
      if (!isTurn && readings++ % 2 === 1) now += cost;
      return now;
    };
    const choices = new Choices(store, "key", () => {});
    const tuner = new BackgroundTuner(opened, choices, { share, longestDelay: 10 }, clock);
    const graph = defineGraph({ product: matmul(input("a", [8, 8]), input("b", [8, 8])) });
    const [product] = matrixProducts(graph);
    const flops = 2 * 8 ** 3;
    const finished = tuner.watch(graph, [{ flops } as DispatchDescription]);
    const tilings = promisingTilings(product!, launchLimitsOf(opened));
    const candidates = tilings.length;
    let turns = 0;
    for (; turns < mostTurns && store.text === undefined; turns++) {
      now += 100;
      isTurn = true;
      finished(1, 0.001);
      isTurn = false;
      await new Promise((resolve) => setTimeout(resolve, compiled.length < candidates ? 5 : 1));
    }
    tuner.stop();
    opened.destroy();
    const [choice] = Object.values(store.choices);
    const worked = cost * Math.floor(readings / 2);
    return {
      compiled,
      candidates,
      worked,
      now,
      chosen: store.text !== undefined,
      place: tilings.indexOf(choice ?? ""),
    };
  }

  test("counts in the budget, one candidate at a time", async () => {
    const { compiled, candidates, worked, now, chosen } = await tuned({ cost: 4, mostTurns: Infinity });
    expect(chosen).toBe(true);
    expect(candidates).toBeGreaterThan(1);
    expect(compiled.length).toBe(candidates);
    // Each candidate is at least written and given to the driver.
    expect(worked).toBeGreaterThanOrEqual(candidates * 2 * 4);
    expect(worked / now).toBeLessThan(0.021);
    for (const [position, time] of compiled.entries())
      if (position > 0) expect(time - compiled[position - 1]!).toBeGreaterThan((2 * 4) / 0.02 - 100);
  });

  test("ends the tuning of a class if it is longer than a step may be delayed", async () => {
    const { compiled, chosen } = await tuned({ cost: 11, share: 1, mostTurns: 100 });
    expect(compiled.length).toBe(1);
    expect(chosen).toBe(false);
  });

  test("a candidate that is faster than the rule of thumb is chosen", async () => {
    const order: WebGPUExecutable[] = [];
    const { time } = WebGPUExecutable.prototype;
    const spy = vi.spyOn(WebGPUExecutable.prototype, "time").mockImplementation(async function (
      this: WebGPUExecutable,
      steps,
    ) {
      await time.call(this, steps);
      if (!order.includes(this)) order.push(this);
      return steps * (order.indexOf(this) === 0 ? 0.4 : 0.1);
    });
    const { place } = await tuned({ cost: 0, mostTurns: Infinity });
    spy.mockRestore();
    expect(place).toBe(1);
  });
});

describe("a training with the tuner in the background", () => {
  test("stores a choice for each class, also of convolutions, and gives the same bits cold and warm", async () => {
    expect(classes).toEqual(["32×64 patches · 64×4", "64×32ᵀ patches · 32×4"]);
    const store = new MemoryStore();
    const options = { tuning: store, backgroundTuning };
    const backend = await createWebGPUBackend(source, options);
    const cold = await trained(backend, { until: () => Object.keys(store.choices).length === classes.length });
    backend.dispose();
    expect(Object.keys(store.choices).sort()).toEqual(classes);
    for (const product of stepProducts(model(), BATCH))
      expect(promisingTilings(product, limits)).toContain(store.choices[productClass(product)]);
    const usual = await after(cold.step);
    expect(cold).toEqual(usual);
    // No choice is missing any more.
    const { text } = store;
    expect(await after(cold.step, options)).toEqual(usual);
    expect(store.text).toBe(text);
  });

  test("replaces stored choices that cannot be read", async () => {
    const store = new MemoryStore("not JSON");
    const lines: string[] = [];
    const options = { tuning: store, backgroundTuning, log: (line: string) => lines.push(line) };
    const backend = await createWebGPUBackend(source, options);
    const corrupt = await trained(backend, { until: () => store.text !== "not JSON" });
    backend.dispose();
    expect(corrupt).toEqual(await after(corrupt.step));
    expect(classes).toContain(Object.keys(store.choices)[0]);
    expect(lines).toEqual([expect.stringContaining("The tuner's stored choices cannot be read")]);
  });

  test("can lose its device while a candidate is measured, in steps of several parts", async () => {
    const { source: losable, device: opened } = losableSource();
    const kernels: string[] = [];
    const onKernel = (name: string) => kernels.push(name);
    const backend = await createWebGPUBackend(losable, { tuning: new MemoryStore(), backgroundTuning, onKernel });
    let inStep = Infinity;
    const recoveries: number[] = [];
    const run = { microBatchSize: 10, onRecovery: ({ fromStep }: Recovery) => recoveries.push(fromStep) };
    const state = await trained(backend, {
      ...run,
      until(step) {
        if (step === 2) inStep = kernels.length;
        // The first candidate compiles.
        if (kernels.length > inStep && recoveries.length === 0) opened().destroy();
        return recoveries.length > 0 && kernels.length > 2 * inStep;
      },
    });
    backend.dispose();
    expect(recoveries.length).toBe(1);
    const usual = await after(state.step, undefined, { microBatchSize: 10 });
    expect(state.parameters).toEqual(usual.parameters);
    expect(state.optimizer).toEqual(usual.optimizer);
  });

  test("can end at any time: the backend is disposed of while candidates compile and run", async () => {
    for (const steps of [10, 40]) {
      const store = new MemoryStore();
      const state = await after(steps, { tuning: store, backgroundTuning });
      expect(state).toEqual(await after(steps));
    }
  });

  test("measures nothing by default on a software adapter", async () => {
    const count = async (options: WebGPUOptions) => {
      const kernels: string[] = [];
      await after(40, { ...options, onKernel: (name) => kernels.push(name) });
      return kernels.length;
    };
    const alone = await count({});
    expect(await count({ tuning: new MemoryStore() })).toBe(alone);
    expect(await count({ tuning: new MemoryStore(), backgroundTuning })).toBeGreaterThan(alone);
  });

  test.each([0, -1, 1.5, NaN])("refuses %d as a share of the time", async (share) => {
    await expect(createWebGPUBackend(source, { backgroundTuning: { share } })).rejects.toThrow(
      `backgroundTuning: ${share} is not a share of the time. Give a number above 0 and at most 1`,
    );
    await expect(createWebGPUBackend(source, { backgroundTuning: { longestDelay: 0 } })).rejects.toThrow(
      "backgroundTuning: 0 is not a delay in milliseconds. Give a number above 0",
    );
  });
});
