/*
 * One query of an attention and a block of keys: scores become weights, or weights and the gradients of scores. Blocks of
 * scores have rows of BLOCK elements, in whole vectors. A score that equals MASKED belongs to no key, or to one to which
 * the query may not attend.
 */
import { exp4 } from "./math";

/** The number of queries, and of keys, that are processed together. */
export const BLOCK = 64;

/** Below all scores, and finite, so that a query without any key has no infinite difference. */
export const MASKED: f32 = -1e30;

/**
 * Multiplies the products of a query with keys by `scale`, and marks the keys from `allowed` on and those for which the mask is
 * 0. Returns the largest score, at least MASKED.
 * @param mask the address of the mask of the first key, or 0
 */
export function maskScores(scores: i32, keys: i32, allowed: i32, scale: f32, mask: i32): f32 {
  const masked = f32x4.splat(MASKED);
  let largest = masked;
  for (let key = 0; key < keys; key += 4) {
    const at = scores + (key << 2);
    let values = f32x4.mul(v128.load(at), f32x4.splat(scale));
    if (mask !== 0) {
      values = v128.bitselect(values, masked, f32x4.ne(v128.load(mask + (key << 2)), f32x4.splat(0)));
    }
    if (key + 4 > allowed) {
      const lanes = i32x4.add(i32x4.splat(key), i32x4(0, 1, 2, 3));
      values = v128.bitselect(values, masked, i32x4.lt_s(lanes, i32x4.splat(allowed)));
    }
    v128.store(at, values);
    largest = f32x4.max(largest, values);
  }
  return max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
}

/** e^(score − largest), 0 for masked scores. */
function exponentials(scores: v128, largest: v128): v128 {
  return v128.andnot(exp4(f32x4.sub(scores, largest)), f32x4.eq(scores, f32x4.splat(MASKED)));
}

/** Replaces scores by e^(score − largest), and returns their sum. */
export function exponentiate(scores: i32, keys: i32, largest: f32): f32 {
  const peak = f32x4.splat(largest);
  let sums = f32x4.splat(0);
  for (let key = 0; key < keys; key += 4) {
    const e = exponentials(v128.load(scores + (key << 2)), peak);
    v128.store(scores + (key << 2), e);
    sums = f32x4.add(sums, e);
  }
  return (
    f32x4.extract_lane(sums, 0) +
    f32x4.extract_lane(sums, 1) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3))
  );
}

/** Multiplies the weights of keys by factors. */
export function multiplyRow(weights: i32, keys: i32, factors: i32): void {
  for (let at = 0; at < keys << 2; at += 16) {
    v128.store(weights + at, f32x4.mul(v128.load(weights + at), v128.load(factors + at)));
  }
}

/**
 * Replaces scores by weights after dropout, and the gradients of the weights by those of the scores before their factor
 * `scale`.
 * @param dropout the address of the factors of the weights, or 0
 */
export function differentiate(
  scores: i32,
  slopes: i32,
  keys: i32,
  largest: f32,
  total: f32,
  delta: f32,
  scale: f32,
  dropout: i32,
): void {
  const inverse = f32x4.splat(1 / total);
  for (let at = 0; at < keys; at += 4) {
    const values = v128.load(scores + (at << 2));
    const isMasked = f32x4.eq(values, f32x4.splat(MASKED));
    const weights = v128.andnot(f32x4.mul(exponentials(values, f32x4.splat(largest)), inverse), isMasked);
    const factors = dropout ? v128.load(dropout + (at << 2)) : f32x4.splat(1);
    const ofWeights = f32x4.sub(f32x4.mul(v128.load(slopes + (at << 2)), factors), f32x4.splat(delta));
    const ofScores = f32x4.mul(f32x4.mul(weights, f32x4.splat(scale)), ofWeights);
    v128.store(scores + (at << 2), f32x4.mul(weights, factors));
    v128.store(slopes + (at << 2), v128.andnot(ofScores, isMasked));
  }
}
