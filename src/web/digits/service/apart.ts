/*
 * Measurements with trainers of their own, separate from the training that the page shows.
 */
import { createBackend, DeviceError, type Backend } from "../../../index.ts";
import { comparedKinds, type ComparedRun, type Comparison, type StepProfile } from "../contract.ts";
import { Run, type RunOptions } from "./run.ts";
import { nextTask } from "./turns.ts";

type Subject = Pick<RunOptions, "settings" | "data" | "loaded">;

/** The number of profiled steps. One more runs before them, unmeasured. */
const PROFILED_STEPS = 9;

/**
 * Trains on each kind of device that the browser supports, from the same seed.
 * @param steps at least 2
 * @returns undefined if it was aborted
 * @throws DeviceError if there is only one kind
 */
export async function compareDevices(
  { backend, ...subject }: RunOptions,
  steps: number,
  signal: AbortSignal,
): Promise<Comparison | undefined> {
  const runs: ComparedRun[] = [];
  for (const kind of comparedKinds) {
    const compared = kind === backend.kind ? backend : await otherBackend(kind);
    if (!compared) continue;
    try {
      runs.push({ kind, ...(await firstSteps(subject, compared, steps, signal)) });
    } finally {
      if (compared !== backend) compared.dispose();
    }
    if (signal.aborted) return undefined;
  }
  if (runs.length < 2) {
    throw new DeviceError({
      where: "comparison",
      what: "this browser has neither WebGPU nor WebAssembly with SIMD",
      fix: "Open the page in another one",
    });
  }
  const spreads = Array.from(runs[0]!.losses, (_, step) => {
    const losses = runs.map((run) => run.losses[step]!);
    return Math.max(...losses) - Math.min(...losses);
  });
  return { runs, largestDifference: Math.max(...spreads) };
}

/** Another backend than the page's; undefined if the browser does not support it. */
function otherBackend(device: ComparedRun["kind"]): Promise<Backend | undefined> {
  return createBackend({ device }).catch((error: unknown) => {
    if (!(error instanceof DeviceError)) throw error;
    return undefined;
  });
}

async function firstSteps(
  { settings, data, loaded }: Subject,
  backend: Backend,
  steps: number,
  signal: AbortSignal,
): Promise<Omit<ComparedRun, "kind">> {
  const { trainer } = await Run.create({ settings, data, loaded, backend });
  try {
    const losses: number[] = [];
    let examplesPerSecond = NaN;
    // The first step includes one-time costs, so the speed is measured without it.
    for await (const { loss } of trainer.fit({ every: 1, maxSteps: 1, signal })) losses.push(loss);
    for await (const progress of trainer.fit({ every: 1, maxSteps: steps - 1, submitMilliseconds: 30, signal })) {
      losses.push(progress.loss);
      ({ examplesPerSecond } = progress);
      // Steps on the CPU block the worker, so it needs a chance to receive a cancellation.
      if (backend.kind !== "webgpu") await nextTask();
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
