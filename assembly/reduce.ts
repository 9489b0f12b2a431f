/*
 * sum, mean, product, max and argmax of [outer, count, inner] over the middle axis. Units are outputs,
 * outer · inner of them.
 * Sums and products are accumulated in float64. If inner is 1, a row is divided into parts of PART elements whose sums
 * are added, and a part is added in eight sums, each of every eighth element; products likewise. Otherwise, an output adds
 * or multiplies its elements in order. max returns NaN if any element is NaN. argmax returns the first of equal elements, or of NaNs.
 * A computed operand is written to scratch memory in parts of at most PART elements.
 */
import { elements, finish, word } from "./operand";

// Words of the argument block, which src/ops/reduce/wasm.ts writes.
const INPUT = 0;
const RESULT = 3;
const COUNT = 6;
const INNER = 7;

const SUM = 0;
const MEAN = 1;
const MAX = 2;
const ARGMAX = 3;
const PRODUCT = 4;

/** The number of elements computed at a time, and the maximum number of outputs reduced together if inner is not 1. */
const PART = 2048;
const GROUP = 256;

/** The size of the accumulators of a group, eight bytes per output. */
const STATE_BYTES = GROUP * 8;

export function sum(args: i32, start: i32, end: i32, scratch: i32): void {
  reduce(SUM, args, start, end, scratch);
}

export function mean(args: i32, start: i32, end: i32, scratch: i32): void {
  reduce(MEAN, args, start, end, scratch);
}

export function product(args: i32, start: i32, end: i32, scratch: i32): void {
  reduce(PRODUCT, args, start, end, scratch);
}

export function maximum(args: i32, start: i32, end: i32, scratch: i32): void {
  reduce(MAX, args, start, end, scratch);
}

export function argmax(args: i32, start: i32, end: i32, scratch: i32): void {
  reduce(ARGMAX, args, start, end, scratch);
}

function reduce(operation: i32, args: i32, start: i32, end: i32, scratch: i32): void {
  if (word(args, INNER) === 1) reduceRows(operation, args, start, end, scratch);
  else reduceColumns(operation, args, start, end, scratch);
}

// Rows: inner is 1, so the elements of an output are contiguous.

function reduceRows(operation: i32, args: i32, start: i32, end: i32, scratch: i32): void {
  const count = word(args, COUNT);
  const result = word(args, RESULT);
  // Several short rows are computed at a time.
  const rowsOfPart = max(PART / count, 1);
  for (let row = start; row < end; row += rowsOfPart) {
    const rowEnd = min(row + rowsOfPart, end);
    if (count <= PART) {
      let address = elements(args, INPUT, row * count, rowEnd * count, scratch);
      for (let r = row; r < rowEnd; r++) {
        reduceShortRow(operation, address, count, result + (r << 2));
        address += count << 2;
      }
    } else reduceLongRow(operation, args, row, count, result + (row << 2), scratch);
  }
  finish(args, RESULT, start, end, scratch);
}

function reduceShortRow(operation: i32, address: i32, count: i32, result: i32): void {
  if (operation === MAX) store<f32>(result, largestOf(address, count));
  else if (operation === ARGMAX) store<i32>(result, indexOfLargest(address, count));
  else if (operation === PRODUCT) store<f32>(result, <f32>productOf(address, count));
  else storeSum(operation, result, sumOf(address, count), count);
}

function reduceLongRow(operation: i32, args: i32, row: i32, count: i32, result: i32, scratch: i32): void {
  let total: f64 = operation === PRODUCT ? 1 : 0;
  let largest: f32 = -Infinity;
  let index = 0;
  for (let first = 0; first < count; first += PART) {
    const size = min(PART, count - first);
    const from = row * count + first;
    const address = elements(args, INPUT, from, from + size, scratch);
    if (operation === MAX) largest = max<f32>(largest, largestOf(address, size));
    else if (operation === ARGMAX) {
      const place = indexOfLargest(address, size);
      const value = load<f32>(address + (place << 2));
      if (value > largest || (isNaN(value) && !isNaN(largest))) {
        largest = value;
        index = first + place;
      }
    } else if (operation === PRODUCT) total *= productOf(address, size);
    else total += sumOf(address, size);
  }
  if (operation === MAX) store<f32>(result, largest);
  else if (operation === ARGMAX) store<i32>(result, index);
  else storeSum(operation, result, total, count);
}

function storeSum(operation: i32, result: i32, total: f64, count: i32): void {
  store<f32>(result, <f32>(operation === MEAN ? total / <f64>count : total));
}

function sumOf(address: u32, count: i32): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const end = address + ((<u32>count) << 2);
  for (; address + 32 <= end; address += 32) {
    a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(address)));
    b = f64x2.add(b, f64x2.promote_low_f32x4(v128.load64_zero(address, 8)));
    c = f64x2.add(c, f64x2.promote_low_f32x4(v128.load64_zero(address, 16)));
    d = f64x2.add(d, f64x2.promote_low_f32x4(v128.load64_zero(address, 24)));
  }
  const sums = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let total = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; address < end; address += 4) total += <f64>load<f32>(address);
  return total;
}

function productOf(address: u32, count: i32): f64 {
  let a = f64x2.splat(1);
  let b = a;
  let c = a;
  let d = a;
  const end = address + ((<u32>count) << 2);
  for (; address + 32 <= end; address += 32) {
    a = f64x2.mul(a, f64x2.promote_low_f32x4(v128.load64_zero(address)));
    b = f64x2.mul(b, f64x2.promote_low_f32x4(v128.load64_zero(address, 8)));
    c = f64x2.mul(c, f64x2.promote_low_f32x4(v128.load64_zero(address, 16)));
    d = f64x2.mul(d, f64x2.promote_low_f32x4(v128.load64_zero(address, 24)));
  }
  const products = f64x2.mul(f64x2.mul(a, b), f64x2.mul(c, d));
  let total = f64x2.extract_lane(products, 0) * f64x2.extract_lane(products, 1);
  for (; address < end; address += 4) total *= <f64>load<f32>(address);
  return total;
}

/** The largest of at least one element, or NaN if any is NaN. */
export function largestOf(address: u32, count: i32): f32 {
  const end = address + ((<u32>count) << 2);
  let largest = load<f32>(address);
  if (count < 4) {
    for (; address < end; address += 4) largest = max(largest, load<f32>(address));
    return largest;
  }
  // The last vector may overlap the one before it.
  let lanes = v128.load(end - 16);
  let b = lanes;
  let c = lanes;
  let d = lanes;
  for (; address + 64 <= end; address += 64) {
    lanes = f32x4.max(lanes, v128.load(address));
    b = f32x4.max(b, v128.load(address, 16));
    c = f32x4.max(c, v128.load(address, 32));
    d = f32x4.max(d, v128.load(address, 48));
  }
  lanes = f32x4.max(f32x4.max(lanes, b), f32x4.max(c, d));
  for (; address + 16 <= end; address += 16) lanes = f32x4.max(lanes, v128.load(address));
  largest = max(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1));
  return max(largest, max(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)));
}

/** The index of the first largest of at least one element, or of the first NaN. */
function indexOfLargest(address: i32, count: i32): i32 {
  const largest = largestOf(address, count);
  return isNaN(largest) ? firstNaN(address, count) : firstEqual(address, count, largest);
}

function firstEqual(address: i32, count: i32, value: f32): i32 {
  const wanted = f32x4.splat(value);
  let k = 0;
  while (k + 4 <= count && !v128.any_true(f32x4.eq(v128.load(address + (k << 2)), wanted))) k += 4;
  while (load<f32>(address + (k << 2)) !== value) k++;
  return k;
}

function firstNaN(address: i32, count: i32): i32 {
  let k = 0;
  while (k < count && !isNaN(load<f32>(address + (k << 2)))) k++;
  return k;
}

// Columns: the elements of an output are `inner` elements apart, and adjacent outputs are reduced together.

function reduceColumns(operation: i32, args: i32, start: i32, end: i32, scratch: i32): void {
  const inner = word(args, INNER);
  const size = word(args, COUNT) * inner;
  // The number of whole groups that are computed at a time.
  const several = size <= PART && inner <= GROUP ? PART / size : 0;
  let output = start;
  while (output < end) {
    const outer = output / inner;
    const column = output % inner;
    const groups = column === 0 ? min((end - output) / inner, several) : 0;
    if (groups > 0) {
      let address = elements(args, INPUT, outer * size, (outer + groups) * size, scratch + STATE_BYTES);
      for (let group = 0; group < groups; group++) {
        reduceRun(operation, args, address, 0, word(args, COUNT), inner, scratch);
        storeGroup(operation, args, output, inner, scratch);
        address += size << 2;
        output += inner;
      }
    } else {
      const columns = min(min(GROUP, inner - column), end - output);
      reduceGroup(operation, args, outer, column, columns, scratch);
      storeGroup(operation, args, output, columns, scratch);
      output += columns;
    }
  }
  finish(args, RESULT, start, end, scratch);
}

function reduceGroup(operation: i32, args: i32, outer: i32, column: i32, columns: i32, scratch: i32): void {
  const count = word(args, COUNT);
  const inner = word(args, INNER);
  const computed = word(args, INPUT + 1) !== 0;
  const target = scratch + STATE_BYTES;
  const whole = columns === inner;
  const step = !computed ? count : whole ? max(PART / inner, 1) : 1;
  for (let k = 0; k < count; k += step) {
    const kEnd = min(k + step, count);
    const from = (outer * count + k) * inner + column;
    const address = elements(args, INPUT, from, (outer * count + kEnd - 1) * inner + column + columns, target);
    reduceRun(operation, args, address, k, kEnd, columns, scratch);
  }
}

/** Reduces elements [k, kEnd) of several adjacent outputs. `address` is that of the first output's element k. */
function reduceRun(operation: i32, args: i32, address: i32, k: i32, kEnd: i32, columns: i32, scratch: i32): void {
  const stride = word(args, INNER) << 2;
  let c = 0;
  if (operation === SUM || operation === MEAN || operation === MAX) {
    for (; c + 16 <= columns; c += 16) {
      const state = scratch + (c << 3);
      const source = address + (c << 2);
      if (operation === MAX) largestOfSixteen(source, stride, kEnd - k, k === 0, state);
      else sumSixteen(source, stride, kEnd - k, k === 0, state);
    }
  }
  for (; c < columns; c += 4) {
    const state = scratch + (c << 3);
    const source = address + (c << 2);
    if (operation === MAX) largestOfFour(source, stride, kEnd - k, k === 0, state);
    else if (operation === ARGMAX) indexOfFour(source, stride, k, kEnd, state);
    else if (operation === PRODUCT) multiplyFour(source, stride, kEnd - k, k === 0, state);
    else sumFour(source, stride, kEnd - k, k === 0, state);
  }
}

function sumFour(source: i32, stride: i32, count: i32, fresh: bool, state: i32): void {
  let low = f64x2.splat(0);
  let high = low;
  if (!fresh) {
    low = v128.load(state);
    high = v128.load(state, 16);
  }
  for (let k = 0; k < count; k++) {
    const values = v128.load(source);
    low = f64x2.add(low, f64x2.promote_low_f32x4(values));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<f64>(values, values, 1, 1)));
    source += stride;
  }
  v128.store(state, low);
  v128.store(state, high, 16);
}

/** Like `sumFour` for sixteen outputs, which share the lines of the cache. */
function sumSixteen(source: i32, stride: i32, count: i32, fresh: bool, state: i32): void {
  if (fresh) memory.fill(state, 0, 128);
  let a = v128.load(state);
  let b = v128.load(state, 16);
  let c = v128.load(state, 32);
  let d = v128.load(state, 48);
  let e = v128.load(state, 64);
  let f = v128.load(state, 80);
  let g = v128.load(state, 96);
  let h = v128.load(state, 112);
  for (; count > 0; count--) {
    a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(source)));
    b = f64x2.add(b, f64x2.promote_low_f32x4(v128.load64_zero(source, 8)));
    c = f64x2.add(c, f64x2.promote_low_f32x4(v128.load64_zero(source, 16)));
    d = f64x2.add(d, f64x2.promote_low_f32x4(v128.load64_zero(source, 24)));
    e = f64x2.add(e, f64x2.promote_low_f32x4(v128.load64_zero(source, 32)));
    f = f64x2.add(f, f64x2.promote_low_f32x4(v128.load64_zero(source, 40)));
    g = f64x2.add(g, f64x2.promote_low_f32x4(v128.load64_zero(source, 48)));
    h = f64x2.add(h, f64x2.promote_low_f32x4(v128.load64_zero(source, 56)));
    source += stride;
  }
  v128.store(state, a);
  v128.store(state, b, 16);
  v128.store(state, c, 32);
  v128.store(state, d, 48);
  v128.store(state, e, 64);
  v128.store(state, f, 80);
  v128.store(state, g, 96);
  v128.store(state, h, 112);
}

function multiplyFour(source: i32, stride: i32, count: i32, fresh: bool, state: i32): void {
  let low = f64x2.splat(1);
  let high = low;
  if (!fresh) {
    low = v128.load(state);
    high = v128.load(state, 16);
  }
  for (let k = 0; k < count; k++) {
    const values = v128.load(source);
    low = f64x2.mul(low, f64x2.promote_low_f32x4(values));
    high = f64x2.mul(high, f64x2.promote_low_f32x4(v128.shuffle<f64>(values, values, 1, 1)));
    source += stride;
  }
  v128.store(state, low);
  v128.store(state, high, 16);
}

function largestOfFour(source: i32, stride: i32, count: i32, fresh: bool, state: i32): void {
  let largest = fresh ? v128.load(source) : v128.load(state);
  for (let k = 0; k < count; k++) {
    largest = f32x4.max(largest, v128.load(source));
    source += stride;
  }
  v128.store(state, largest);
}

/** Like `largestOfFour` for sixteen outputs, of which each four have a state of their own. */
function largestOfSixteen(source: i32, stride: i32, count: i32, fresh: bool, state: i32): void {
  let a = fresh ? v128.load(source) : v128.load(state);
  let b = fresh ? v128.load(source, 16) : v128.load(state, 32);
  let c = fresh ? v128.load(source, 32) : v128.load(state, 64);
  let d = fresh ? v128.load(source, 48) : v128.load(state, 96);
  for (; count > 0; count--) {
    a = f32x4.max(a, v128.load(source));
    b = f32x4.max(b, v128.load(source, 16));
    c = f32x4.max(c, v128.load(source, 32));
    d = f32x4.max(d, v128.load(source, 48));
    source += stride;
  }
  v128.store(state, a);
  v128.store(state, b, 32);
  v128.store(state, c, 64);
  v128.store(state, d, 96);
}

function indexOfFour(source: i32, stride: i32, first: i32, end: i32, state: i32): void {
  let largest = first === 0 ? v128.load(source) : v128.load(state);
  let index = first === 0 ? i32x4.splat(0) : v128.load(state, 16);
  for (let k = first; k < end; k++) {
    const values = v128.load(source);
    const isNan = v128.andnot(f32x4.ne(values, values), f32x4.ne(largest, largest));
    const better = v128.or(f32x4.gt(values, largest), isNan);
    largest = v128.bitselect(values, largest, better);
    index = v128.bitselect(i32x4.splat(k), index, better);
    source += stride;
  }
  v128.store(state, largest);
  v128.store(state, index, 16);
}

function storeGroup(operation: i32, args: i32, output: i32, columns: i32, scratch: i32): void {
  const count = word(args, COUNT);
  for (let c = 0; c < columns; c++) {
    const to = word(args, RESULT) + ((output + c) << 2);
    const state = scratch + ((c >> 2) << 5);
    const lane = c & 3;
    if (operation === MAX) store<f32>(to, load<f32>(state + (lane << 2)));
    else if (operation === ARGMAX) store<i32>(to, load<i32>(state + (lane << 2), 16));
    else storeSum(operation, to, load<f64>(state + (lane << 3)), count);
  }
}
