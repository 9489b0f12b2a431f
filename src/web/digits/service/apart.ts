/*
 * Measurements with trainers of their own, separate from the training that the page shows.
 */
import { createCpuBackend, DeviceError, type Backend } from "../../../index.ts";
import type { ComparedRun, Comparison, StepProfile } from "../contract.ts";
import { Run, type RunOptions } from "./run.ts";
import { nextTask } from "./turns.ts";

type Subject = Pick<RunOptions, "settings" | "data" | "loaded">;

/** The number of profiled steps. One more runs before them, unmeasured. */
const PROFILED_STEPS = 9;

/**
 * Trains on the GPU and on the CPU from the same seed.
 * @param steps at least 2
 * @returns undefined if it was aborted
 * @throws DeviceError if there is no GPU
 */
export async function compareDevices(
  { backend, ...subject }: RunOptions,
  steps: number,
  signal: AbortSignal,
): Promise<Comparison | undefined> {
  if (backend.kind === "cpu") {
    throw new DeviceError({
      where: "comparison",
      what: "this page already runs on the CPU",
      fix: "Open it in a browser that offers a GPU through WebGPU",
    });
  }
  const gpu = await firstSteps(subject, backend, steps, signal);
  if (signal.aborted) return undefined;
  const cpuBackend = createCpuBackend();
  const cpu = await firstSteps(subject, cpuBackend, steps, signal);
  cpuBackend.dispose();
  if (signal.aborted) return undefined;
  const differences = Array.from(gpu.losses, (loss, step) => Math.abs(loss - cpu.losses[step]!));
  return { gpu, cpu, largestDifference: Math.max(...differences) };
}

async function firstSteps(
  { settings, data, loaded }: Subject,
  backend: Backend,
  steps: number,
  signal: AbortSignal,
): Promise<ComparedRun> {
  const { trainer } = await Run.create({ settings, data, loaded, backend });
  try {
    const losses: number[] = [];
    let examplesPerSecond = NaN;
    // The first step includes one-time costs, so the speed is measured without it.
    for await (const { loss } of trainer.fit({ every: 1, maxSteps: 1, signal })) losses.push(loss);
    for await (const progress of trainer.fit({ every: 1, maxSteps: steps - 1, submitMilliseconds: 30, signal })) {
      losses.push(progress.loss);
      ({ examplesPerSecond } = progress);
      if (backend.kind === "cpu") await nextTask();
    }
    return { losses: Float32Array.from(losses), examplesPerSecond };
  } finally {
    trainer.dispose();
  }
}

/** The dispatches of a step and, if the device can measure it, the median time of each over a few steps. */
export async function profileStep({ settings, data, loaded, backend }: RunOptions): Promise<StepProfile> {
  const { trainer } = await Run.create({ settings, data, loaded, backend });
  try {
    const { dispatches } = trainer;
    try {
      await trainer.profile();
      const rows: number[][] = [];
      for (let step = 0; step < PROFILED_STEPS; step++) rows.push(await trainer.profile());
      const medianOf = (column: number) =>
        rows.map((row) => row[column]!).sort((a, b) => a - b)[(PROFILED_STEPS - 1) / 2]!;
      return { dispatches, nanoseconds: dispatches.map((_, column) => medianOf(column)), reason: undefined };
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      return { dispatches, nanoseconds: undefined, reason: error.what };
    }
  } finally {
    trainer.dispose();
  }
}
