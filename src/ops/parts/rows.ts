/*
 * Sums over many rows of few columns, in parts that give all units of a device work.
 */
import { reshape } from "../layout/index.ts";
import { sum } from "../reduce/index.ts";
import { sumOfParts } from "./index.ts";
import type { Tensor } from "../../graph/tensor.ts";

/** The number of workgroups that fill a GPU, and the minimum number of rows that justifies a workgroup. */
export const USEFUL_PARTS = 64;
const FEWEST_ROWS = 256;

/** The number of equal parts to divide rows into, at most `useful`. It depends only on the numbers. */
export const partsOfRows = (rows: number, useful: number): number =>
  largestDivisor(rows, Math.min(useful, Math.floor(rows / FEWEST_ROWS)));

/** The largest divisor of a number that is at most `most`. */
function largestDivisor(value: number, most: number): number {
  for (let divisor = Math.min(most, value); divisor > 1; divisor--) if (value % divisor === 0) return divisor;
  return 1;
}

/** The sum over the rows of a matrix. The sums of the parts are added in order. */
export function sumOverRows(matrix: Tensor, parts: number): Tensor {
  if (parts === 1) return sum(matrix, { axes: 0 });
  return sumOfParts(sum(reshape(matrix, [parts, -1, matrix.shape[1]!]), { axes: 1 }));
}
