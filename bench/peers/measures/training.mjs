/*
 * Measures training steps. A runtime whose first losses differ from the reference is not timed.
 */
import { readWork } from "../work.mjs";
import { callsBetween, countGpuCalls } from "./calls.mjs";
import { milliseconds, timePerRepetition } from "./timing.mjs";

/** A loss is read back after this many steps, because hundreds of queued steps crash Dawn. */
const READ_EVERY = 20;

/** The largest accepted relative difference of a loss from the reference. */
const TOLERANCE = 1e-3;

/** An epoch that would take longer is timed in part. */
const EPOCH_SECONDS = 20;

/** WebGPU calls are counted over steps for about this time, at least 40 and at most 400 steps. */
const COUNTED_MILLISECONDS = 2000;

/** A result that differs from the reference. */
export class WrongResult extends Error {}

/** @throws WrongResult with the first step whose loss differs */
export function checkLosses(actual, expected) {
  const step = expected.findIndex((loss, index) => !(Math.abs(actual[index] - loss) <= TOLERANCE * loss));
  if (step >= 0)
    throw new WrongResult(`the loss of step ${step + 1} is ${actual[step]}, but ${expected[step]} by the reference`);
}

const worstOf = (actual, expected) => Math.max(...expected.map((loss, index) => Math.abs(actual[index] / loss - 1)));

/** Creates a trainer, and compares its first losses with the reference; `worst` is the largest relative difference. */
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

/** Seconds per epoch at batch size 64, extrapolated from `steps` of the epoch's `stepsPerEpoch`. */
export async function measureEpoch(runtime, folder) {
  const { trainer, stepsPerEpoch, worst } = await checkedTrainer(runtime, folder, 64);
  const warmUp = 2 * READ_EVERY;
  const estimate = (await milliseconds(() => trainer.run(warmUp, READ_EVERY))) / 1000 / warmUp;
  const steps = Math.min(stepsPerEpoch, Math.ceil(EPOCH_SECONDS / estimate));
  const seconds = (await milliseconds(() => trainer.run(steps, READ_EVERY))) / 1000;
  return { epoch: (seconds * stepsPerEpoch) / steps, steps, stepsPerEpoch, worst };
}

/**
 * WebGPU calls of a training step at batch size 64. Passes and submits are per 20 steps, counted in the second half of the
 * run, when the runtime has settled; the number of steps there follows from the dispatches.
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
