/*
 * Measures training steps. A runtime whose first losses differ from the reference is not timed.
 */
import { readWork } from "../work.mjs";
import { callsBetween, countGpuCalls, countGpuMemory } from "./calls.mjs";
import { milliseconds, timePerRepetition } from "./timing.mjs";

/** A loss is read back after this many steps, because hundreds of queued steps crash Dawn. */
const READ_EVERY = 20;

/** The largest accepted relative difference of a loss from the reference. */
const TOLERANCE = 1e-3;

/** An epoch that would take longer is timed in part. */
const EPOCH_SECONDS = 20;

/** WebGPU calls are counted over steps for about this time, at most 400 steps. */
const COUNTED_MILLISECONDS = 2000;

/** How often a loss of the convolutional network is read back while its calls are counted. */
export const CONVOLUTIONAL_READ_EVERY = 5;

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
async function checkedTrainer(runtime, folder, batch, network = "dense") {
  const { task, expected } = readWork(folder, network);
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

/** The same of the convolutional network, of which a step may take seconds: the check is most of its warm-up. */
export async function measureConvolutional(runtime, folder) {
  const { trainer, worst } = await checkedTrainer(runtime, folder, 64, "convolutional");
  const step = await timePerRepetition((steps) => trainer.run(steps, READ_EVERY), 1);
  return { step, imagesPerSecond: (1000 * 64) / step, worst };
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
 * WebGPU calls of a training step at batch size 64, and the largest size of all buffers at one time, with the examples. Passes and submits are counted in the second half of the run, when the
 * runtime has settled; the number of steps there follows from the dispatches.
 * @param {number} every a loss is read back after so many steps
 * @returns {Promise<import("./calls.mjs").GpuCalls & { megabytes: number }>} calls per step
 */
export async function measureCalls(runtime, folder, network = "dense", every = READ_EVERY) {
  const peakBytes = countGpuMemory();
  const { trainer } = await checkedTrainer(runtime, folder, 64, network);
  const estimate = (await milliseconds(() => trainer.run(every, every))) / every;
  const steps = 2 * every * Math.min(10, Math.ceil(COUNTED_MILLISECONDS / estimate / (2 * every)));
  // Twice: the buffers that read results are made as they are needed, and kept.
  for (let warmUp = 0; warmUp < 2; warmUp++) await trainer.run(steps, every);
  const calls = countGpuCalls();
  let middle;
  await trainer.run(steps, every, (done) => {
    if (done >= steps / 2) middle ??= calls();
  });
  const all = calls();
  const tail = callsBetween(middle, all);
  // Where the first loss arrives only after most steps were submitted, the whole run is counted.
  const counted = tail.dispatches > all.dispatches / 4 ? tail : all;
  const countedSteps = (counted.dispatches / all.dispatches) * steps;
  const { dispatches, bindGroups, buffers } = all;
  return {
    dispatches: dispatches / steps,
    bindGroups: bindGroups / steps,
    buffers: buffers / steps,
    passes: counted.passes / countedSteps,
    submits: counted.submits / countedSteps,
    megabytes: peakBytes() / 1e6,
  };
}
