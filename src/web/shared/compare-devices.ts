/*
 * Trains on each kind of device, apart from the training that the page shows. Runs in the worker.
 */
import { createBackend, DeviceError, type Backend, type Trainer } from "../../index.ts";
import { turn } from "../../turn.ts";
import { comparedKinds, type ComparedRun, type Comparison } from "./comparison-contract.ts";

/** The longest time on one device, after which its remaining steps are left out. */
const MOST_MILLISECONDS = 10_000;

/** What a comparison uses of a trainer. */
export type ComparedTrainer = Pick<Trainer, "fit" | "dispose">;

export interface ComparisonOptions {
  /** The backend of the page. The others are opened for the comparison. */
  readonly backend: Backend;
  /** Creates a trainer with initial weights: the same on each device. */
  trainerOn(backend: Backend): Promise<ComparedTrainer>;
  /** At least 2. */
  readonly steps: number;
  readonly signal: AbortSignal;
}

/**
 * Trains on each kind of device that the browser supports.
 * @returns undefined if it was aborted
 * @throws DeviceError if there is only one kind
 */
export async function compareDevices({ backend, ...options }: ComparisonOptions): Promise<Comparison | undefined> {
  const runs: ComparedRun[] = [];
  for (const kind of comparedKinds) {
    const compared = kind === backend.kind ? backend : await otherBackend(kind);
    if (!compared) continue;
    try {
      runs.push({ kind, ...(await firstSteps(compared, options)) });
    } finally {
      if (compared !== backend) compared.dispose();
    }
    if (options.signal.aborted) return undefined;
  }
  if (runs.length < 2) {
    throw new DeviceError({
      where: "comparison",
      what: "this browser has neither WebGPU nor WebAssembly with SIMD",
      fix: "Open the page in another one",
    });
  }
  const common = Math.min(...runs.map(({ losses }) => losses.length));
  const spreads = Array.from({ length: common }, (_, step) => {
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
  backend: Backend,
  { trainerOn, steps, signal }: Omit<ComparisonOptions, "backend">,
): Promise<Omit<ComparedRun, "kind">> {
  const trainer = await trainerOn(backend);
  try {
    const losses: number[] = [];
    let examplesPerSecond = NaN;
    // The first step includes one-time costs, so the speed is measured without it.
    for await (const { loss } of trainer.fit({ every: 1, maxSteps: 1, signal })) losses.push(loss);
    const end = performance.now() + MOST_MILLISECONDS;
    for await (const progress of trainer.fit({ every: 1, maxSteps: steps - 1, submitMilliseconds: 30, signal })) {
      losses.push(progress.loss);
      ({ examplesPerSecond } = progress);
      if (performance.now() > end) break;
      // Steps on the CPU block the worker, so it needs a chance to receive a cancellation.
      if (backend.kind !== "webgpu") await turn();
    }
    return { losses: Float32Array.from(losses), examplesPerSecond };
  } finally {
    trainer.dispose();
  }
}
