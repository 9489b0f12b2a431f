/*
 * Batches for libraries that take float32 arrays from JavaScript. The features are standardized once, before any step is
 * timed.
 */

const WIDTH = 784;
const CLASSES = 10;

/**
 * @param {import("./index.mjs").TrainingTask} task
 * @returns {(step: number) => { features: Float32Array, classes: Float32Array }} the examples [batch, 784] of a step
 *   counted from 0, and their one-hot labels [batch, 10]; each call returns new arrays
 */
export function batchMaker({ batch, count, features, labels, scale, offset, order }) {
  const standardized = Float32Array.from(features, (value) => value * scale + offset);
  const stepsPerEpoch = Math.floor(count / batch);
  return (step) => {
    const rows = new Float32Array(batch * WIDTH);
    const classes = new Float32Array(batch * CLASSES);
    const first = (step % stepsPerEpoch) * batch;
    for (let row = 0; row < batch; row++) {
      const example = order[first + row];
      rows.set(standardized.subarray(example * WIDTH, (example + 1) * WIDTH), row * WIDTH);
      classes[row * CLASSES + labels[example]] = 1;
    }
    return { features: rows, classes };
  };
}
