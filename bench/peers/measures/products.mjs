/*
 * Measures matrix products. It checks the whole result of each size and, on a GPU, that every product was dispatched.
 */
import { drawn, generator } from "../random.mjs";
import { callsBetween, countGpuCalls } from "./calls.mjs";
import { timePerRepetition } from "./timing.mjs";
import { WrongResult } from "./training.mjs";

/** Rows, inner, columns: the first product of the network at batch 64, and two squares. */
export const productSizes = [
  [64, 784, 128],
  [512, 512, 512],
  [1024, 1024, 1024],
];

/** The tolerance of the check per root of the number of summed terms: 16 times the largest error that was observed. */
const TOLERANCE = 1e-5;

/** @returns {Promise<Record<string, number>>} GFLOP/s by size, such as "512x512x512" */
export async function measureProducts(runtime, device) {
  const calls = device === "webgpu" ? countGpuCalls() : undefined;
  const speeds = {};
  for (const [rows, inner, columns] of productSizes) {
    const draw = generator(rows + inner + columns);
    const task = { rows, inner, columns, left: drawn(rows * inner, draw), right: drawn(inner * columns, draw) };
    const multiply = await runtime.product(task);
    const name = `${rows}x${inner}x${columns}`;
    await multiply(1);
    const before = calls?.();
    checkProduct(task, await multiply(3), name);
    if (before && callsBetween(before, calls()).dispatches < 3) {
      throw new WrongResult(`${name}: 3 products made fewer than 3 dispatches`);
    }
    speeds[name] = (2 * rows * inner * columns) / (await timePerRepetition(multiply, 3)) / 1e6;
  }
  return speeds;
}

/** Freivalds' check: (left · right) · signs must equal left · (right · signs), which needs no matrix product. */
function checkProduct({ rows, inner, columns, left, right }, product, name) {
  const draw = generator(5);
  const signs = Float64Array.from({ length: columns }, () => Math.sign(draw()) || 1);
  const expected = timesVector(left, timesVector(right, signs, inner), rows);
  const actual = timesVector(product, signs, rows);
  const tolerance = TOLERANCE * Math.sqrt(inner * columns);
  const row = expected.findIndex((value, index) => !(Math.abs(actual[index] - value) <= tolerance));
  if (row >= 0)
    throw new WrongResult(`${name}: row ${row} of the product is wrong (${actual[row]} instead of ${expected[row]})`);
}

function timesVector(matrix, vector, rows) {
  const result = new Float64Array(rows);
  const width = vector.length;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) result[row] += matrix[row * width + column] * vector[column];
  }
  return result;
}
