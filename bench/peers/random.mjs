/*
 * Random numbers that are the same on every machine.
 */

/** @returns {() => number} numbers in [−1, 1), the same for the same seed (Numerical Recipes' quick generator) */
export function generator(seed) {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 31 - 1;
  };
}

/**
 * Draws numbers. A plain loop, which takes less than half as long as `Float32Array.from` in a new process.
 * @returns {Float32Array}
 */
export function drawn(count, draw, scale = 1) {
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) values[index] = scale * draw();
  return values;
}
