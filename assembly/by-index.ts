/*
 * The order that sorts keys, and sums of the values that share an index.
 */
import { elements, finish, word } from "./operand";

// Words of the argument blocks, which src/ops/indexing/wasm.ts writes.
const KEYS = 0;
const ORDER_RESULT = 3;
const KEY_COUNT = 6;

const VALUES = 0;
const INDICES = 3;
const ORDER = 6;
const RESULT = 9;
const COUNT = 12;
const SIZE = 13;
const INNER = 14;

/** A pass of the sort distributes positions by eight bits of their keys. */
const BITS = 8;
const BUCKETS_BYTES = 4 << BITS;

/**
 * The positions of uint32 keys in ascending order of the keys; equal keys keep their order. A radix sort from the lowest
 * bits up, which passes over bits that are the same in all keys. There is one unit.
 */
export function sortOrder(args: i32, _start: i32, _end: i32, scratch: i32): void {
  const count = word(args, KEY_COUNT);
  const result = word(args, ORDER_RESULT);
  const other = scratch + BUCKETS_BYTES;
  const keys = elements(args, KEYS, 0, count, other + (count << 2));
  const differing = differingBits(keys, count);
  let passes = 0;
  for (let shift = 0; shift < 32; shift += BITS) if (digitOf(differing, shift) !== 0) passes++;
  // Positions alternate between two places, so that the last pass writes the result.
  let from = (passes & 1) === 0 ? result : other;
  for (let position = 0; position < count; position++) store<i32>(from + (position << 2), position);
  for (let shift = 0; shift < 32; shift += BITS) {
    if (digitOf(differing, shift) === 0) continue;
    const to = from === result ? other : result;
    distribute(keys, count, shift, from, to, scratch);
    from = to;
  }
  finish(args, ORDER_RESULT, 0, count, scratch);
}

function digitOf(key: u32, shift: i32): i32 {
  return (key >>> shift) & ((1 << BITS) - 1);
}

/** The bits in which keys differ from the first one. */
function differingBits(keys: i32, count: i32): u32 {
  const first = load<u32>(keys);
  let differing: u32 = 0;
  for (let position = 1; position < count; position++) differing |= load<u32>(keys + (position << 2)) ^ first;
  return differing;
}

/** Copies positions to another place, sorted by some bits of their keys. */
function distribute(keys: i32, count: i32, shift: i32, from: i32, to: i32, buckets: i32): void {
  memory.fill(buckets, 0, BUCKETS_BYTES);
  for (let position = 0; position < count; position++) {
    const bucket = buckets + (digitOf(load<u32>(keys + (position << 2)), shift) << 2);
    store<i32>(bucket, load<i32>(bucket) + 1);
  }
  let next = 0;
  for (let bucket = buckets; bucket !== buckets + BUCKETS_BYTES; bucket += 4) {
    const size = load<i32>(bucket);
    store<i32>(bucket, next);
    next += size;
  }
  for (let place = 0; place < count; place++) {
    const position = load<i32>(from + (place << 2));
    const bucket = buckets + (digitOf(load<u32>(keys + (position << 2)), shift) << 2);
    const at = load<i32>(bucket);
    store<i32>(to + (at << 2), position);
    store<i32>(bucket, at + 1);
  }
}

/**
 * Entry [o, j, i] is the sum over all k with indices[k] = j of values[o, k, i], in float32 in the order of k. `order`
 * holds the positions k sorted by their indices. Units are rows of the result, outer · size of them.
 */
export function sumByIndex(args: i32, start: i32, end: i32, scratch: i32): void {
  const count = word(args, COUNT);
  const size = word(args, SIZE);
  const inner = word(args, INNER);
  const indices = elements(args, INDICES, 0, count, scratch);
  const order = elements(args, ORDER, 0, count, scratch + (count << 2));
  memory.fill(word(args, RESULT) + ((start * inner) << 2), 0, ((end - start) * inner) << 2);
  for (let row = start; row < end;) {
    const outer = row / size;
    const rowEnd = min((outer + 1) * size, end);
    const entry = row - outer * size;
    addEntries(args, outer, entry, entry + rowEnd - row, indices, order, scratch + (count << 3));
    row = rowEnd;
  }
  finish(args, RESULT, start * inner, end * inner, scratch);
}

/** Adds the values of entries [entry, entryEnd) to the rows of the result. */
function addEntries(args: i32, outer: i32, entry: i32, entryEnd: i32, indices: i32, order: i32, scratch: i32): void {
  const count = word(args, COUNT);
  const inner = word(args, INNER);
  const result = word(args, RESULT) + ((outer * word(args, SIZE) * inner) << 2);
  for (let place = firstOf(entry, indices, order, count); place < count; place++) {
    const position = load<i32>(order + (place << 2));
    const index = load<i32>(indices + (position << 2));
    if (index >= entryEnd) return;
    const from = (outer * count + position) * inner;
    addRow(elements(args, VALUES, from, from + inner, scratch), result + ((index * inner) << 2), inner);
  }
}

/** The first place in the order whose index is at least an entry. */
function firstOf(entry: i32, indices: i32, order: i32, count: i32): i32 {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<i32>(indices + (load<i32>(order + (middle << 2)) << 2)) < entry) low = middle + 1;
    else high = middle;
  }
  return low;
}

function addRow(values: i32, result: i32, inner: i32): void {
  let at = 0;
  for (; at + 4 <= inner; at += 4) {
    const place = result + (at << 2);
    v128.store(place, f32x4.add(v128.load(place), v128.load(values + (at << 2))));
  }
  for (; at < inner; at++) {
    const place = result + (at << 2);
    store<f32>(place, load<f32>(place) + load<f32>(values + (at << 2)));
  }
}
