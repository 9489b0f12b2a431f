/*
 * By the wall clock: a GPU's own clock would leave out what a library's JavaScript costs.
 */

const BLOCKS = 3;
const BLOCK_MILLISECONDS = 1000;

/** @param {() => Promise<unknown>} work */
export async function milliseconds(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Milliseconds of one repetition: the median of three blocks of about a second each, after a warm-up.
 * @param {(repetitions: number) => Promise<unknown>} repeat returns once the last result was read back
 * @param {number} warmUp repetitions before anything is timed
 */
export async function timePerRepetition(repeat, warmUp) {
  await repeat(warmUp);
  const estimate = (await milliseconds(() => repeat(warmUp))) / warmUp;
  const repetitions = Math.max(warmUp, Math.ceil(BLOCK_MILLISECONDS / estimate));
  const times = [];
  for (let block = 0; block < BLOCKS; block++)
    times.push((await milliseconds(() => repeat(repetitions))) / repetitions);
  return median(times);
}
