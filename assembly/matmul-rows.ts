/*
 * Products of one row, which read each element of the right operand once, so that packing would not pay. As in the
 * tiles, each output adds its products in the order of k. Values of the row for consecutive k are `leftStep` bytes
 * apart. With `fresh`, the sums start from 0, otherwise from the values stored in the result.
 */
import { multiplyAdd } from "./multiply-add";
import { storeLanes } from "./operand";

/** result[column] = Σₖ left(k) · right(k, column). Rows of `right` are `stride` bytes apart. */
export function addRows(
  left: i32,
  leftStep: i32,
  right: i32,
  stride: i32,
  inner: i32,
  result: i32,
  columns: i32,
  fresh: bool,
): void {
  let k = 0;
  for (; k + 4 <= inner; k += 4) {
    addFourRows(left, leftStep, right, stride, result, columns, fresh);
    fresh = false;
    left += leftStep << 2;
    right += stride << 2;
  }
  for (; k < inner; k++) {
    if (fresh) scaleRow(left, right, result, columns);
    else addRow(left, right, result, columns);
    fresh = false;
    left += leftStep;
    right += stride;
  }
}

function addFourRows(left: i32, leftStep: i32, right: i32, stride: i32, result: i32, columns: i32, fresh: bool): void {
  const a = v128.load32_splat(left);
  const b = v128.load32_splat(left + leftStep);
  const c = v128.load32_splat(left + 2 * leftStep);
  const d = v128.load32_splat(left + 3 * leftStep);
  for (; columns > 0; columns -= 4) {
    let at = right;
    let sums = fresh ? f32x4.splat(0) : v128.load(result);
    sums = multiplyAdd(a, v128.load(at), sums);
    at += stride;
    sums = multiplyAdd(b, v128.load(at), sums);
    at += stride;
    sums = multiplyAdd(c, v128.load(at), sums);
    at += stride;
    sums = multiplyAdd(d, v128.load(at), sums);
    if (columns < 4) {
      storeLanes(result, sums, columns);
      return;
    }
    v128.store(result, sums);
    right += 16;
    result += 16;
  }
}

/** result[column] = left · right(column): all of the product if its inner axis has one element. */
function scaleRow(left: i32, right: i32, result: i32, columns: i32): void {
  const a = v128.load32_splat(left);
  for (; columns >= 16; columns -= 16) {
    v128.store(result, f32x4.mul(a, v128.load(right)));
    v128.store(result, f32x4.mul(a, v128.load(right, 16)), 16);
    v128.store(result, f32x4.mul(a, v128.load(right, 32)), 32);
    v128.store(result, f32x4.mul(a, v128.load(right, 48)), 48);
    right += 64;
    result += 64;
  }
  for (; columns > 0; columns -= 4) {
    storeLanes(result, f32x4.mul(a, v128.load(right)), columns);
    right += 16;
    result += 16;
  }
}

function addRow(left: i32, right: i32, result: i32, columns: i32): void {
  const a = v128.load32_splat(left);
  for (; columns > 0; columns -= 4) {
    const sums = f32x4.add(v128.load(result), f32x4.mul(a, v128.load(right)));
    if (columns < 4) {
      storeLanes(result, sums, columns);
      return;
    }
    v128.store(result, sums);
    right += 16;
    result += 16;
  }
}

/** result[column] = Σₖ left(k) · right(column, k). Rows of `right` are `stride` bytes apart. */
export function dotRows(
  left: i32,
  leftStep: i32,
  right: i32,
  stride: i32,
  inner: i32,
  result: i32,
  columns: i32,
  fresh: bool,
): void {
  for (let column = 0; column < columns; column += 8) {
    dotEightRows(left, leftStep, right, stride, inner, result, columns - column, fresh);
    right += stride << 3;
    result += 32;
  }
}

/**
 * Processes eight rows at a time, transposing 4×4 blocks in registers. Rows past the end are copies of the last one.
 */
function dotEightRows(
  left: i32,
  leftStep: i32,
  right: i32,
  stride: i32,
  inner: i32,
  result: i32,
  columns: i32,
  fresh: bool,
): void {
  const last = columns - 1;
  let r0 = right;
  let r1 = right + min(1, last) * stride;
  let r2 = right + min(2, last) * stride;
  let r3 = right + min(3, last) * stride;
  let r4 = right + min(4, last) * stride;
  let r5 = right + min(5, last) * stride;
  let r6 = right + min(6, last) * stride;
  let r7 = right + min(7, last) * stride;
  let low = f32x4.splat(0);
  let high = low;
  if (!fresh) {
    low = v128.load(result);
    if (columns > 4) high = v128.load(result, 16);
  }
  let k = 0;
  for (; k + 4 <= inner; k += 4) {
    low = addDots(low, left, leftStep, r0, r1, r2, r3);
    high = addDots(high, left, leftStep, r4, r5, r6, r7);
    left += leftStep << 2;
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    r4 += 16;
    r5 += 16;
    r6 += 16;
    r7 += 16;
  }
  for (; k < inner; k++) {
    const l = v128.load32_splat(left);
    low = multiplyAdd(l, gather(r0, r1, r2, r3), low);
    high = multiplyAdd(l, gather(r4, r5, r6, r7), high);
    left += leftStep;
    r0 += 4;
    r1 += 4;
    r2 += 4;
    r3 += 4;
    r4 += 4;
    r5 += 4;
    r6 += 4;
    r7 += 4;
  }
  storeLanes(result, low, columns);
  if (columns > 4) storeLanes(result + 16, high, columns - 4);
}

/** Adds the products of four k with four rows, one k after another. */
function addDots(sums: v128, left: i32, leftStep: i32, r0: i32, r1: i32, r2: i32, r3: i32): v128 {
  const a = v128.load(r0);
  const b = v128.load(r1);
  const c = v128.load(r2);
  const d = v128.load(r3);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  sums = multiplyAdd(v128.load32_splat(left), v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), sums);
  left += leftStep;
  sums = multiplyAdd(v128.load32_splat(left), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), sums);
  left += leftStep;
  sums = multiplyAdd(v128.load32_splat(left), v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5), sums);
  left += leftStep;
  return multiplyAdd(v128.load32_splat(left), v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7), sums);
}

function gather(r0: i32, r1: i32, r2: i32, r3: i32): v128 {
  let values = v128.load32_zero(r0);
  values = v128.load32_lane(r1, values, 1);
  values = v128.load32_lane(r2, values, 2);
  return v128.load32_lane(r3, values, 3);
}
