/*
 * Measures with the wall clock, because a GPU's clock would exclude the cost of a library's JavaScript.
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
 * @param {(repetitions: number) => Promise<unknown>} repeat resolves after the last result has been read back
 * @param {number} warmUp repetitions before the measurement
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
