/*
 * Register tiles of a product: outputs stay in registers during the loop over k, and each adds its products in the
 * order of k. `left` is packed with four rows side by side for each k, `right` with eight or four columns. With
 * `fresh`, the sums start from 0, otherwise from the values stored in the result. The loop over k is unrolled four
 * times with an exit after each step. V8 moves the loads of a basic block to its start, so steps without branches
 * between them would need more than the 15 registers of SSE (47 GFLOP/s on one thread with the exits, 42 with one step
 * per iteration, 30 with two steps in one block).
 */
import { multiplyAdd } from "./multiply-add";

/** Four rows × eight columns. */
// oxlint-disable-next-line max-lines-per-function -- One variable per register and one line per product, unrolled.
export function tile4x8(left: u32, right: i32, inner: i32, result: i32, stride: i32, fresh: bool): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  const row1 = result + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  if (!fresh) {
    a0 = v128.load(result);
    a1 = v128.load(result, 16);
    b0 = v128.load(row1);
    b1 = v128.load(row1, 16);
    c0 = v128.load(row2);
    c1 = v128.load(row2, 16);
    d0 = v128.load(row3);
    d1 = v128.load(row3, 16);
  }
  const end = left + ((<u32>inner) << 4);
  while (true) {
    let r0 = v128.load(right);
    let r1 = v128.load(right, 16);
    let l = v128.load32_splat(left);
    a0 = multiplyAdd(l, r0, a0);
    a1 = multiplyAdd(l, r1, a1);
    l = v128.load32_splat(left, 4);
    b0 = multiplyAdd(l, r0, b0);
    b1 = multiplyAdd(l, r1, b1);
    l = v128.load32_splat(left, 8);
    c0 = multiplyAdd(l, r0, c0);
    c1 = multiplyAdd(l, r1, c1);
    l = v128.load32_splat(left, 12);
    d0 = multiplyAdd(l, r0, d0);
    d1 = multiplyAdd(l, r1, d1);
    if (left + 16 >= end) break;
    r0 = v128.load(right, 32);
    r1 = v128.load(right, 48);
    l = v128.load32_splat(left, 16);
    a0 = multiplyAdd(l, r0, a0);
    a1 = multiplyAdd(l, r1, a1);
    l = v128.load32_splat(left, 20);
    b0 = multiplyAdd(l, r0, b0);
    b1 = multiplyAdd(l, r1, b1);
    l = v128.load32_splat(left, 24);
    c0 = multiplyAdd(l, r0, c0);
    c1 = multiplyAdd(l, r1, c1);
    l = v128.load32_splat(left, 28);
    d0 = multiplyAdd(l, r0, d0);
    d1 = multiplyAdd(l, r1, d1);
    if (left + 32 >= end) break;
    r0 = v128.load(right, 64);
    r1 = v128.load(right, 80);
    l = v128.load32_splat(left, 32);
    a0 = multiplyAdd(l, r0, a0);
    a1 = multiplyAdd(l, r1, a1);
    l = v128.load32_splat(left, 36);
    b0 = multiplyAdd(l, r0, b0);
    b1 = multiplyAdd(l, r1, b1);
    l = v128.load32_splat(left, 40);
    c0 = multiplyAdd(l, r0, c0);
    c1 = multiplyAdd(l, r1, c1);
    l = v128.load32_splat(left, 44);
    d0 = multiplyAdd(l, r0, d0);
    d1 = multiplyAdd(l, r1, d1);
    if (left + 48 >= end) break;
    r0 = v128.load(right, 96);
    r1 = v128.load(right, 112);
    l = v128.load32_splat(left, 48);
    a0 = multiplyAdd(l, r0, a0);
    a1 = multiplyAdd(l, r1, a1);
    l = v128.load32_splat(left, 52);
    b0 = multiplyAdd(l, r0, b0);
    b1 = multiplyAdd(l, r1, b1);
    l = v128.load32_splat(left, 56);
    c0 = multiplyAdd(l, r0, c0);
    c1 = multiplyAdd(l, r1, c1);
    l = v128.load32_splat(left, 60);
    d0 = multiplyAdd(l, r0, d0);
    d1 = multiplyAdd(l, r1, d1);
    left += 64;
    right += 128;
    if (left >= end) break;
  }
  v128.store(result, a0);
  v128.store(result, a1, 16);
  v128.store(row1, b0);
  v128.store(row1, b1, 16);
  v128.store(row2, c0);
  v128.store(row2, c1, 16);
  v128.store(row3, d0);
  v128.store(row3, d1, 16);
}

/** Four rows × four columns. */
export function tile4x4(left: u32, right: i32, inner: i32, result: i32, stride: i32, fresh: bool): void {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const row1 = result + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  if (!fresh) {
    a = v128.load(result);
    b = v128.load(row1);
    c = v128.load(row2);
    d = v128.load(row3);
  }
  const end = left + ((<u32>inner) << 4);
  while (true) {
    let r = v128.load(right);
    a = multiplyAdd(v128.load32_splat(left), r, a);
    b = multiplyAdd(v128.load32_splat(left, 4), r, b);
    c = multiplyAdd(v128.load32_splat(left, 8), r, c);
    d = multiplyAdd(v128.load32_splat(left, 12), r, d);
    if (left + 16 >= end) break;
    r = v128.load(right, 16);
    a = multiplyAdd(v128.load32_splat(left, 16), r, a);
    b = multiplyAdd(v128.load32_splat(left, 20), r, b);
    c = multiplyAdd(v128.load32_splat(left, 24), r, c);
    d = multiplyAdd(v128.load32_splat(left, 28), r, d);
    if (left + 32 >= end) break;
    r = v128.load(right, 32);
    a = multiplyAdd(v128.load32_splat(left, 32), r, a);
    b = multiplyAdd(v128.load32_splat(left, 36), r, b);
    c = multiplyAdd(v128.load32_splat(left, 40), r, c);
    d = multiplyAdd(v128.load32_splat(left, 44), r, d);
    if (left + 48 >= end) break;
    r = v128.load(right, 48);
    a = multiplyAdd(v128.load32_splat(left, 48), r, a);
    b = multiplyAdd(v128.load32_splat(left, 52), r, b);
    c = multiplyAdd(v128.load32_splat(left, 56), r, c);
    d = multiplyAdd(v128.load32_splat(left, 60), r, d);
    left += 64;
    right += 64;
    if (left >= end) break;
  }
  v128.store(result, a);
  v128.store(row1, b);
  v128.store(row2, c);
  v128.store(row3, d);
}
