/*
 * The moments of rows, and the gradient of layer normalization. Units are rows, which are computed in blocks of BLOCK_ROWS so
 * that computed operands fit in scratch memory: a block of x, one of upstream gradients, the moments, and the weight.
 */
import { elements, finish, loadLanes, storeLanes, word } from "./operand";

// Words of the argument blocks, which src/ops/layer-norm/wasm.ts writes.
const X = 0;
const MOMENTS = 3;
const UPSTREAM = 6;
const WEIGHT = 9;
const RESULT = 12;
const WIDTH = 15;
const BLOCK_ROWS = 16;
const EPSILON = 17;
const WEIGHTED = 17;

/** The mean of each row, and 1 / √(variance + epsilon), in two passes. */
export function rowMoments(args: i32, start: i32, end: i32, scratch: i32): void {
  const width = word(args, WIDTH);
  const block = word(args, BLOCK_ROWS);
  const epsilon = load<f32>(args + (EPSILON << 2));
  for (let row = start; row < end; row += block) {
    const rowEnd = min(row + block, end);
    let x = elements(args, X, row * width, rowEnd * width, scratch);
    for (let r = row; r < rowEnd; r++) {
      const result = word(args, RESULT) + (r << 3);
      const mean = sumOfPowers(x, width, 0, false) / <f32>width;
      const variance = sumOfPowers(x, width, mean, true) / <f32>width;
      store<f32>(result, mean);
      store<f32>(result, 1 / sqrt<f32>(variance + epsilon), 4);
      x += width << 2;
    }
    finish(args, RESULT, 2 * row, 2 * rowEnd, scratch);
  }
}

/** The sum of distances from `center`, or of their squares. */
function sumOfPowers(x: i32, width: i32, center: f32, squares: bool): f32 {
  let sums = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= width; i += 4) {
    const distance = f32x4.sub(v128.load(x + (i << 2)), f32x4.splat(center));
    sums = f32x4.add(sums, squares ? f32x4.mul(distance, distance) : distance);
  }
  let total = sumOfLanes(sums);
  for (; i < width; i++) {
    const distance = load<f32>(x + (i << 2)) - center;
    total += squares ? distance * distance : distance;
  }
  return total;
}

function sumOfLanes(sums: v128): f32 {
  return (
    f32x4.extract_lane(sums, 0) +
    f32x4.extract_lane(sums, 1) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3))
  );
}

export function layerNormGradient(args: i32, start: i32, end: i32, scratch: i32): void {
  const width = word(args, WIDTH);
  const block = word(args, BLOCK_ROWS);
  const upstreamScratch = scratch + ((block * width) << 2);
  const momentsScratch = upstreamScratch + ((block * width) << 2);
  const weight = word(args, WEIGHTED) ? elements(args, WEIGHT, 0, width, momentsScratch + (block << 3)) : 0;
  for (let row = start; row < end; row += block) {
    const rowEnd = min(row + block, end);
    let x = elements(args, X, row * width, rowEnd * width, scratch);
    let upstream = elements(args, UPSTREAM, row * width, rowEnd * width, upstreamScratch);
    let moments = elements(args, MOMENTS, 2 * row, 2 * rowEnd, momentsScratch);
    for (let r = row; r < rowEnd; r++) {
      const result = word(args, RESULT) + ((r * width) << 2);
      rowGradient(x, upstream, weight, load<f32>(moments), load<f32>(moments, 4), width, result);
      x += width << 2;
      upstream += width << 2;
      moments += 8;
    }
    finish(args, RESULT, row * width, rowEnd * width, scratch);
  }
}

/** scale · (g − mean(g) − y · mean(g · y)), where g is the upstream gradient times the weight, and y is normalized x. */
function rowGradient(x: i32, upstream: i32, weight: i32, mean: f32, scale: f32, width: i32, result: i32): void {
  let slopes = f32x4.splat(0);
  let correlations = f32x4.splat(0);
  for (let i = 0; i < width; i += 4) {
    const slope = slopesAt(upstream, weight, i, width);
    slopes = f32x4.add(slopes, slope);
    correlations = f32x4.add(correlations, f32x4.mul(slope, normalizedAt(x, i, width, mean, scale)));
  }
  const slopeMean = f32x4.splat(sumOfLanes(slopes) / <f32>width);
  const correlation = f32x4.splat(sumOfLanes(correlations) / <f32>width);
  for (let i = 0; i < width; i += 4) {
    const rest = f32x4.sub(slopesAt(upstream, weight, i, width), slopeMean);
    const value = f32x4.sub(rest, f32x4.mul(normalizedAt(x, i, width, mean, scale), correlation));
    storeLanes(result + (i << 2), f32x4.mul(f32x4.splat(scale), value), width - i);
  }
}

/** Lanes after the row are 0. */
function slopesAt(upstream: i32, weight: i32, i: i32, width: i32): v128 {
  const slopes = loadLanes(upstream + (i << 2), width - i);
  return weight === 0 ? slopes : f32x4.mul(slopes, loadLanes(weight + (i << 2), width - i));
}

function normalizedAt(x: i32, i: i32, width: i32, mean: f32, scale: f32): v128 {
  const values = loadLanes(x + (i << 2), width - i);
  return f32x4.mul(f32x4.sub(values, f32x4.splat(mean)), f32x4.splat(scale));
}
