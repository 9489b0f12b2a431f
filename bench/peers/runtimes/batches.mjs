/*
 * Batches for libraries that take float32 arrays from JavaScript. They are standardized, gathered and uploaded before any
 * step is timed.
 */

const CLASSES = 10;

/** So many batches are used in turn: the check and the warm-up use each of them once before the first step is timed. */
const READY_BATCHES = 50;

/**
 * @template Ready
 * @param {import("./index.mjs").TrainingTask} task
 * @param {(features: Float32Array, classes: Float32Array) => Ready} upload takes the examples [batch, pixels] of a batch, and
 *   their one-hot labels [batch, 10]
 * @returns {(step: number) => Ready} the batch of a step, counted from 0
 */
export function readyBatches({ batch, count, features, labels, scale, offset, order }, upload) {
  const length = Math.min(READY_BATCHES, Math.floor(count / batch));
  const width = features.length / count;
  const batches = Array.from({ length }, (_, step) => {
    const rows = new Float32Array(batch * width);
    const classes = new Float32Array(batch * CLASSES);
    for (let row = 0; row < batch; row++) {
      const example = order[step * batch + row];
      for (let pixel = 0; pixel < width; pixel++) {
        rows[row * width + pixel] = features[example * width + pixel] * scale + offset;
      }
      classes[row * CLASSES + labels[example]] = 1;
    }
    return upload(rows, classes);
  });
  return (step) => batches[step % length];
}
