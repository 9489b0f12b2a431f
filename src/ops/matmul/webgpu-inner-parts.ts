/*
 * How a GPU divides the inner axis of a product. With few outputs, one thread per output would add many terms one after the
 * other while most of the GPU is idle.
 */
import type { LaunchLimits } from "../kernel.ts";
import { batchCount } from "./batches.ts";
import type { MatmulAttributes } from "./index.ts";

/** How the values of k are divided: into `count` parts of `length`, the last of which may be shorter. */
export interface InnerParts {
  readonly count: number;
  readonly length: number;
}

/** A part has at least 32 values of k, and a multiple of 16, the number that most kernels load at once. */
const FEWEST_VALUES = 32;
const UNIT = 16;

/** With so many sums, of outputs or of parts of them, all units of a large GPU have work. */
const ENOUGH_SUMS = 2 ** 19;

const MOST_PARTS = 16;

/** What each part needs at least: the threads and, with float16, the workgroup memory of the smallest tile. */
const PART_THREADS = 16;
const PART_BYTES = 1600;

/**
 * The parts in which a device adds the terms of a product. They depend only on the shapes, so that all tilings give the same
 * bits. There is one part on software adapters, which have no idle units, and if a matrix does not fit in a binding, since
 * then the inner axis may be divided among launches.
 */
export function innerParts(attributes: MatmulAttributes, limits: LaunchLimits): InnerParts {
  const { rows, inner, columns, batch } = attributes;
  const largest = Math.max(rows * inner, inner * columns, rows * columns);
  const { software, bindingElements, workgroupThreads, workgroupBytes } = limits;
  if (software || largest > bindingElements) return { count: 1, length: inner };
  const wanted = Math.min(
    MOST_PARTS,
    Math.floor(workgroupThreads / PART_THREADS),
    Math.floor(workgroupBytes / PART_BYTES),
    Math.floor(inner / FEWEST_VALUES),
    Math.floor(ENOUGH_SUMS / (batchCount(batch) * rows * columns)),
  );
  if (wanted <= 1) return { count: 1, length: inner };
  const length = UNIT * Math.ceil(inner / (UNIT * wanted));
  return { count: Math.ceil(inner / length), length };
}
