/*
 * The options with which each worker of a shared run trains, from those of the run.
 */
import { workerStep } from "../../cluster/training/worker-step.ts";
import type { SettledFlags } from "../options/defaults.ts";
import { count, counted, field, shortNumber } from "../text/text.ts";
import { batchSizeOf } from "../training/network.ts";
import { epochsOf, type Run } from "../training/training-run.ts";

/** The options in which a worker differs from one machine. */
export type WorkerOptions = Partial<Pick<SettledFlags, "batch" | "lr" | "epochs" | "maxSteps" | "warmup">>;

/**
 * The options of a worker that are not those of the run: a part of the batch, the learning rate for it, and numbers of steps
 * that train on as many examples. None if a worker takes the whole batch.
 */
export function workerOptions(
  { flags, data }: Pick<Run, "flags" | "data">,
  workers: number,
  workerBatch?: number,
): WorkerOptions {
  const { lr, maxSteps, warmup, optimizer } = flags;
  const batchSize = batchSizeOf(flags, data.train.count);
  const own = workerStep({ batchSize, learningRate: lr }, { workers, workerBatch, optimizer });
  if (own.batchSize === batchSize) return {};
  const stepsFor = (steps: number) => Math.max(1, Math.round((steps * batchSize) / own.batchSize));
  return {
    batch: own.batchSize,
    lr: own.learningRate,
    // The default depends on the batch size.
    epochs: epochsOf({ flags, data }),
    ...(warmup > 0 && { warmup: stepsFor(warmup) }),
    ...(maxSteps !== undefined && { maxSteps: stepsFor(maxSteps) }),
  };
}

/** Says how the step of a worker differs from that of the run. */
export function workerStepText(
  run: Pick<Run, "flags" | "data">,
  { batch, lr = run.flags.lr }: WorkerOptions,
): string[] {
  if (typeof batch !== "number") return [];
  const rate = lr === run.flags.lr ? "" : `, learning rate ${shortNumber(lr)} instead of ${shortNumber(run.flags.lr)}`;
  return field(
    "worker",
    `${counted(batch, "example")} of a batch of ${count(batchSizeOf(run.flags, run.data.train.count))}${rate}`,
  );
}
