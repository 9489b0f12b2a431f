/*
 * Functions of rows of logits [rows, classes]: softmax, its logarithm, the cross-entropy for a label, and its gradient.
 * Units are rows. All start from the largest logit of a row and the sum of e^(z − largest). The results of a row with
 * NaN or +∞ are NaN.
 * Computed operands are written to scratch memory, for as many rows as fit in BLOCK elements, but at least one. The
 * layout of the scratch memory is in src/ops/softmax/wasm.ts: a block of logits, the exponentials of one row, and for
 * each row of the block a label and a factor.
 */
import { exp4, log4 } from "./math";
import { elements, finish, storeLanes, word } from "./operand";
import { largestOf } from "./reduce";

// Words of the argument block, which src/ops/softmax/wasm.ts writes.
const LOGITS = 0;
const LABELS = 3;
const UPSTREAM = 6;
const RESULT = 9;
const CLASSES = 12;
const BLOCK_ROWS = 13;

const SOFTMAX = 0;
const LOG_SOFTMAX = 1;
const LOSS = 2;
const GRADIENT = 3;

export function softmax(args: i32, start: i32, end: i32, scratch: i32): void {
  rowResults(SOFTMAX, args, start, end, scratch);
}

export function logSoftmax(args: i32, start: i32, end: i32, scratch: i32): void {
  rowResults(LOG_SOFTMAX, args, start, end, scratch);
}

export function softmaxCrossEntropy(args: i32, start: i32, end: i32, scratch: i32): void {
  rowResults(LOSS, args, start, end, scratch);
}

export function softmaxCrossEntropyGradient(args: i32, start: i32, end: i32, scratch: i32): void {
  rowResults(GRADIENT, args, start, end, scratch);
}

function rowResults(kind: i32, args: i32, start: i32, end: i32, scratch: i32): void {
  const classes = word(args, CLASSES);
  const block = word(args, BLOCK_ROWS);
  const exponentials = scratch + ((block * classes) << 2);
  const labelScratch = exponentials + ((classes + 3) << 2);
  const upstreamScratch = labelScratch + (block << 2);
  const width = kind === LOSS ? 1 : classes;
  for (let row = start; row < end; row += block) {
    const rowEnd = min(row + block, end);
    let logits = elements(args, LOGITS, row * classes, rowEnd * classes, scratch);
    let labels = kind >= LOSS ? elements(args, LABELS, row, rowEnd, labelScratch) : 0;
    let upstream = kind === GRADIENT ? elements(args, UPSTREAM, row, rowEnd, upstreamScratch) : 0;
    let result = word(args, RESULT) + ((row * width) << 2);
    for (let r = row; r < rowEnd; r++) {
      rowResult(kind, logits, classes, labels, upstream, result, exponentials);
      logits += classes << 2;
      labels += 4;
      upstream += 4;
      result += width << 2;
    }
    finish(args, RESULT, row * width, rowEnd * width, scratch);
  }
}

function rowResult(
  kind: i32,
  logits: i32,
  classes: i32,
  label: i32,
  upstream: i32,
  result: i32,
  exponentials: i32,
): void {
  const largest = largestOf(logits, classes);
  const total = exponentiate(logits, classes, largest, exponentials);
  if (kind === SOFTMAX) scale(exponentials, classes, 1 / total, result);
  else if (kind === GRADIENT) {
    const factor = load<f32>(upstream);
    const own = exponentials + (load<i32>(label) << 2);
    // Subtract before multiplying by the factor: the difference is small if the model is confident.
    scale(exponentials, classes, 1 / total, exponentials);
    store<f32>(own, load<f32>(own) - 1);
    scale(exponentials, classes, factor, result);
  } else {
    const logSum = f32x4.extract_lane(log4(f32x4.splat(total)), 0);
    // Subtract first: adding the logarithm to a large logit would lose its digits.
    if (kind === LOSS) store<f32>(result, largest - load<f32>(logits + (load<i32>(label) << 2)) + logSum);
    else subtract(logits, classes, largest, logSum, result);
  }
}

/** Writes e^(z − largest), rounded up to whole vectors, and returns the sum. */
function exponentiate(logits: i32, classes: i32, largest: f32, to: i32): f32 {
  const peak = f32x4.splat(largest);
  let sums = f32x4.splat(0);
  let c = 0;
  for (; c + 4 <= classes; c += 4) {
    const e = exp4(f32x4.sub(v128.load(logits + (c << 2)), peak));
    v128.store(to + (c << 2), e);
    sums = f32x4.add(sums, e);
  }
  let total =
    f32x4.extract_lane(sums, 0) +
    f32x4.extract_lane(sums, 1) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
  if (c < classes) {
    v128.store(to + (c << 2), exp4(f32x4.sub(v128.load(logits + (c << 2)), peak)));
    for (; c < classes; c++) total += load<f32>(to + (c << 2));
  }
  return total;
}

function scale(from: i32, classes: i32, factor: f32, to: i32): void {
  const factors = f32x4.splat(factor);
  for (let c = 0; c < classes; c += 4) {
    storeLanes(to + (c << 2), f32x4.mul(v128.load(from + (c << 2)), factors), classes - c);
  }
}

function subtract(logits: i32, classes: i32, largest: f32, logSum: f32, to: i32): void {
  const peak = f32x4.splat(largest);
  const logs = f32x4.splat(logSum);
  for (let c = 0; c < classes; c += 4) {
    storeLanes(to + (c << 2), f32x4.sub(f32x4.sub(v128.load(logits + (c << 2)), peak), logs), classes - c);
  }
}
