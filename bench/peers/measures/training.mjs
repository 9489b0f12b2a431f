/*
 * What a training step costs. A runtime whose first losses are not the reference's is not timed.
 */
import { readWork } from "../work.mjs";
import { callsBetween, countGpuCalls } from "./calls.mjs";
import { milliseconds, timePerRepetition } from "./timing.mjs";

/** A loss is read back after so many steps, as hundreds queued without a wait crash Dawn. */
const READ_EVERY = 20;

/** The largest difference of a loss from the reference's, relative to the reference. */
const TOLERANCE = 1e-3;

/** An epoch that would take longer is timed in part. */
const EPOCH_SECONDS = 20;

/** WebGPU calls are counted over the steps of about so long, but over 40 at least and 400 at most. */
const COUNTED_MILLISECONDS = 2000;

/** A runtime that computes something else than the reference. */
export class WrongResult extends Error {}

/** @throws WrongResult naming the first step whose loss is another */
export function checkLosses(actual, expected) {
  const step = expected.findIndex((loss, index) => !(Math.abs(actual[index] - loss) <= TOLERANCE * loss));
  if (step >= 0)
    throw new WrongResult(`the loss of step ${step + 1} is ${actual[step]}, by the reference ${expected[step]}`);
}

const worstOf = (actual, expected) => Math.max(...expected.map((loss, index) => Math.abs(actual[index] / loss - 1)));

/** A trainer whose first losses were compared with the reference, and their largest relative difference. */
async function checkedTrainer(runtime, folder, batch) {
  const { task, expected } = readWork(folder);
  const trainer = await runtime.trainer({ ...task, batch });
  const losses = await trainer.run(expected[batch].length, 1);
  checkLosses(losses, expected[batch]);
  return { trainer, stepsPerEpoch: Math.floor(task.count / batch), worst: worstOf(losses, expected[batch]) };
}

/** Images per second, and milliseconds per step. */
export async function measureStep(runtime, folder, batch) {
  const { trainer, worst } = await checkedTrainer(runtime, folder, batch);
  const step = await timePerRepetition((steps) => trainer.run(steps, READ_EVERY), READ_EVERY);
  return { step, imagesPerSecond: (1000 * batch) / step, worst };
}

/** Seconds for an epoch of batch 64. `steps` of the epoch's `stepsPerEpoch` were run; the rest is taken as alike. */
export async function measureEpoch(runtime, folder) {
  const { trainer, stepsPerEpoch, worst } = await checkedTrainer(runtime, folder, 64);
  const warmUp = 2 * READ_EVERY;
  const estimate = (await milliseconds(() => trainer.run(warmUp, READ_EVERY))) / 1000 / warmUp;
  const steps = Math.min(stepsPerEpoch, Math.ceil(EPOCH_SECONDS / estimate));
  const seconds = (await milliseconds(() => trainer.run(steps, READ_EVERY))) / 1000;
  return { epoch: (seconds * stepsPerEpoch) / steps, steps, stepsPerEpoch, worst };
}

/**
 * WebGPU calls of a training step at batch 64. Passes and submits are those of 20 steps, once the runtime has found its
 * pace: counted from the middle of the run, over as many steps as its dispatches there make up.
 */
export async function measureCalls(runtime, folder) {
  const { trainer } = await checkedTrainer(runtime, folder, 64);
  const estimate = (await milliseconds(() => trainer.run(READ_EVERY, READ_EVERY))) / READ_EVERY;
  const steps = 2 * READ_EVERY * Math.min(10, Math.ceil(COUNTED_MILLISECONDS / estimate / (2 * READ_EVERY)));
  await trainer.run(steps, READ_EVERY);
  const calls = countGpuCalls();
  let middle;
  await trainer.run(steps, READ_EVERY, (done) => {
    if (done >= steps / 2) middle ??= calls();
  });
  const all = calls();
  const tail = callsBetween(middle, all);
  const tailSteps = (tail.dispatches / all.dispatches) * steps;
  const { dispatches, bindGroups, buffers } = all;
  return {
    dispatches: dispatches / steps,
    bindGroups: bindGroups / steps,
    buffers: buffers / steps,
    passes: (20 * tail.passes) / tailSteps,
    submits: (20 * tail.submits) / tailSteps,
  };
}
