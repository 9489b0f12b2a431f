/*
 * Attention and its gradients, in blocks of BLOCK queries and BLOCK keys (FlashAttention-2, Dao 2023, algorithms 1 and 2).
 * Units are blocks of queries, or blocks of keys for the gradient of keys and values. Blocks start at multiples of BLOCK
 * in each batch, so the results have the same bits however the work is divided.
 */
import {
  AXES,
  AXIS_WORDS,
  BLOCK_BYTES,
  CAUSAL,
  COMPUTED,
  DELTA,
  DROPOUT,
  DROPS,
  FLAGS,
  K,
  KEYS,
  LEFT,
  LEFT_UPSTREAM,
  MASK,
  MASKS,
  MASK_AXES,
  MASK_QUERY_STRIDE,
  Q,
  QUERIES,
  RESULT,
  RIGHT_KEYS,
  RIGHT_VALUES,
  SCALE,
  STATISTICS,
  SUMS,
  UPSTREAM,
  V,
  VALUES,
  VALUE_SUMS,
  WIDTH,
  deltaOf,
  dropoutOf,
  maskOf,
  panelsOf,
  part,
  rowBytes,
  scoresOf,
  slopesOf,
  statisticsOf,
} from "./attention-parts";
import { BLOCK, MASKED, differentiate, exponentiate, maskScores, multiplyRow } from "./attention-rows";
import { exp4 } from "./math";
import { packLeftColumns, packLeftRows, packRightColumns, packRightRows } from "./matmul-pack";
import { tile4x4, tile4x8 } from "./matmul-tiles";
import { elements, finish, storeLanes, word } from "./operand";

export function attention(args: i32, start: i32, end: i32, scratch: i32): void {
  const blocks = blocksOf(word(args, QUERIES));
  for (let unit = start; unit < end; unit++) {
    const batch = unit / blocks;
    attendBlock(args, batch, (unit - batch * blocks) * BLOCK, scratch);
  }
}

export function attentionQueryGradient(args: i32, start: i32, end: i32, scratch: i32): void {
  const blocks = blocksOf(word(args, QUERIES));
  for (let unit = start; unit < end; unit++) {
    const batch = unit / blocks;
    queryGradients(args, batch, (unit - batch * blocks) * BLOCK, scratch);
  }
}

export function attentionKeyValueGradient(args: i32, start: i32, end: i32, scratch: i32): void {
  const blocks = blocksOf(word(args, KEYS));
  for (let unit = start; unit < end; unit++) {
    const batch = unit / blocks;
    keyValueGradients(args, batch, (unit - batch * blocks) * BLOCK, scratch);
  }
}

function blocksOf(size: i32): i32 {
  return (size + BLOCK - 1) / BLOCK;
}

/** The end of the keys to which some of the queries before `queryEnd` may attend. */
function lastKey(args: i32, queryEnd: i32): i32 {
  return word(args, FLAGS) & CAUSAL ? min(queryEnd, word(args, KEYS)) : word(args, KEYS);
}

function attendBlock(args: i32, batch: i32, query: i32, scratch: i32): void {
  const queryEnd = min(query + BLOCK, word(args, QUERIES));
  const values = word(args, VALUES);
  const queries = queryEnd - query;
  const stride = rowBytes(args);
  const scores = scoresOf(args, scratch);
  const sums = part(args, scratch, SUMS);
  const statistics = statisticsOf(args, scratch);
  packQueries(args, batch, query, queryEnd, scratch);
  memory.fill(sums, 0, BLOCK * stride);
  for (let r = 0; r < queries; r++) {
    store<f32>(statistics + (r << 3), MASKED);
    store<f32>(statistics + (r << 3), 0, 4);
  }
  const keyEnd = lastKey(args, queryEnd);
  for (let key = 0; key < keyEnd; key += BLOCK) {
    const end = min(key + BLOCK, keyEnd);
    packKeys(args, batch, key, end, scratch);
    multiply(
      part(args, scratch, LEFT),
      part(args, scratch, RIGHT_KEYS),
      queries,
      end - key,
      word(args, WIDTH),
      scores,
      BLOCK_BYTES,
      true,
    );
    for (let r = 0; r < queries; r++) {
      weighBlock(
        args,
        batch,
        query + r,
        key,
        end - key,
        scores + r * BLOCK_BYTES,
        statistics + (r << 3),
        sums + r * stride,
        scratch,
      );
    }
    const panels = panelsOf(args, scratch);
    packLeftRows(panels, scores, BLOCK_BYTES, queries, end - key);
    const right = part(args, scratch, RIGHT_VALUES);
    packRightColumns(
      right,
      rowsOf(args, V, batch * word(args, KEYS), key, end, values, scratch),
      values << 2,
      values,
      end - key,
    );
    multiply(panels, right, queries, values, end - key, sums, stride, false);
  }
  storeOutputs(args, batch * word(args, QUERIES) + query, queries, sums, statistics, scratch);
}

/** Computes the weights of a block of keys, relative to the largest score so far, and adapts what was summed before. */
function weighBlock(
  args: i32,
  batch: i32,
  query: i32,
  key: i32,
  keys: i32,
  scores: i32,
  statistics: i32,
  sums: i32,
  scratch: i32,
): void {
  const before = load<f32>(statistics);
  const largest = max(before, maskRow(args, batch, query, key, keys, scores, scratch));
  const sum = exponentiate(scores, keys, largest);
  if (largest !== before) {
    const factors = exp4(f32x4.splat(before - largest));
    store<f32>(statistics, largest);
    store<f32>(statistics, load<f32>(statistics, 4) * f32x4.extract_lane(factors, 0), 4);
    const end = sums + (word(args, VALUES) << 2);
    for (let at = sums; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), factors));
  }
  store<f32>(statistics, load<f32>(statistics, 4) + sum, 4);
  const dropout = dropoutRow(args, batch, query, key, keys, scratch);
  if (dropout !== 0) multiplyRow(scores, keys, dropout);
}

/** The address of the factors of the weights of a query, or 0. */
function dropoutRow(args: i32, batch: i32, query: i32, key: i32, keys: i32, scratch: i32): i32 {
  if (!(word(args, FLAGS) & DROPS)) return 0;
  const first = (batch * word(args, QUERIES) + query) * word(args, KEYS) + key;
  return elements(args, DROPOUT, first, first + keys, dropoutOf(args, scratch));
}

/** Scales and masks the scores of a query. Returns the largest. */
function maskRow(args: i32, batch: i32, query: i32, key: i32, keys: i32, scores: i32, scratch: i32): f32 {
  const flags = word(args, FLAGS);
  const allowed = flags & CAUSAL ? min(keys, query + 1 - key) : keys;
  let mask = 0;
  if (flags & MASKS) {
    const first = maskStart(args, batch) + query * word(args, MASK_QUERY_STRIDE) + key;
    mask = elements(args, MASK, first, first + keys, maskOf(args, scratch));
  }
  return maskScores(scores, keys, allowed, load<f32>(args + (SCALE << 2)), mask);
}

function maskStart(args: i32, batch: i32): i32 {
  let start = 0;
  let rest = batch;
  for (let axis = word(args, MASK_AXES) - 1; axis >= 0; axis--) {
    const words = AXES + axis * AXIS_WORDS;
    start += (rest % word(args, words)) * word(args, words + 1);
    rest /= word(args, words);
  }
  return start;
}

/** Stores sums divided by the total of their weights, and the statistics. A query without keys gets zeros. */
function storeOutputs(args: i32, first: i32, queries: i32, sums: i32, statistics: i32, scratch: i32): void {
  const values = word(args, VALUES);
  const width = values + 2;
  const result = word(args, RESULT) + ((first * width) << 2);
  for (let r = 0; r < queries; r++) {
    const row = result + ((r * width) << 2);
    const total = load<f32>(statistics + (r << 3), 4);
    const factors = f32x4.splat(total === 0 ? 0 : 1 / total);
    const from = sums + r * rowBytes(args);
    for (let c = 0; c < values; c += 4) {
      storeLanes(row + (c << 2), f32x4.mul(v128.load(from + (c << 2)), factors), values - c);
    }
    store<f32>(row + (values << 2), load<f32>(statistics + (r << 3)));
    store<f32>(row + (values << 2), total, 4);
  }
  finish(args, RESULT, first * width, (first + queries) * width, scratch);
}

function queryGradients(args: i32, batch: i32, query: i32, scratch: i32): void {
  const queryEnd = min(query + BLOCK, word(args, QUERIES));
  const width = word(args, WIDTH);
  const queries = queryEnd - query;
  const stride = rowBytes(args);
  const sums = part(args, scratch, SUMS);
  packQueries(args, batch, query, queryEnd, scratch);
  packUpstream(args, batch, query, queryEnd, scratch);
  memory.fill(sums, 0, BLOCK * stride);
  const keyEnd = lastKey(args, queryEnd);
  for (let key = 0; key < keyEnd; key += BLOCK) {
    const end = min(key + BLOCK, keyEnd);
    packKeys(args, batch, key, end, scratch);
    packValues(args, batch, key, end, scratch);
    differentiateBlock(args, batch, query, queryEnd, key, end, scratch);
    const panels = panelsOf(args, scratch);
    packLeftRows(panels, slopesOf(args, scratch), BLOCK_BYTES, queries, end - key);
    const right = part(args, scratch, RIGHT_KEYS);
    packRightColumns(
      right,
      rowsOf(args, K, batch * word(args, KEYS), key, end, width, scratch),
      width << 2,
      width,
      end - key,
    );
    multiply(panels, right, queries, width, end - key, sums, stride, false);
  }
  const first = batch * word(args, QUERIES) + query;
  const result = word(args, RESULT) + ((first * width) << 2);
  storeRows(result, width, sums, stride, queries, width);
  finish(args, RESULT, first * width, (first + queries) * width, scratch);
}

function keyValueGradients(args: i32, batch: i32, key: i32, scratch: i32): void {
  const end = min(key + BLOCK, word(args, KEYS));
  const width = word(args, WIDTH);
  const values = word(args, VALUES);
  const queries = word(args, QUERIES);
  const keys = end - key;
  const stride = rowBytes(args);
  const sums = part(args, scratch, SUMS);
  const valueSums = part(args, scratch, VALUE_SUMS);
  const panels = panelsOf(args, scratch);
  packKeys(args, batch, key, end, scratch);
  packValues(args, batch, key, end, scratch);
  memory.fill(sums, 0, 2 * BLOCK * stride);
  for (let query = word(args, FLAGS) & CAUSAL ? key : 0; query < queries; query += BLOCK) {
    const queryEnd = min(query + BLOCK, queries);
    packQueries(args, batch, query, queryEnd, scratch);
    packUpstream(args, batch, query, queryEnd, scratch);
    differentiateBlock(args, batch, query, queryEnd, key, end, scratch);
    // The packed queries and upstream gradients are not needed any more, so their parts take the right operands.
    const right = part(args, scratch, LEFT);
    packLeftColumns(panels, slopesOf(args, scratch), BLOCK_BYTES, keys, queryEnd - query);
    packRightColumns(
      right,
      rowsOf(args, Q, batch * queries, query, queryEnd, width, scratch),
      width << 2,
      width,
      queryEnd - query,
    );
    multiply(panels, right, keys, width, queryEnd - query, sums, stride, false);
    packLeftColumns(panels, scoresOf(args, scratch), BLOCK_BYTES, keys, queryEnd - query);
    packRightColumns(
      right,
      rowsOf(args, UPSTREAM, batch * queries, query, queryEnd, values, scratch),
      values << 2,
      values,
      queryEnd - query,
    );
    multiply(panels, right, keys, values, queryEnd - query, valueSums, stride, false);
  }
  const first = batch * word(args, KEYS) + key;
  const result = word(args, RESULT) + ((first * (width + values)) << 2);
  storeRows(result, width + values, sums, stride, keys, width);
  storeRows(result + (width << 2), width + values, valueSums, stride, keys, values);
  finish(args, RESULT, first * (width + values), (first + keys) * (width + values), scratch);
}

/** Computes the weights and the gradients of the scores of a block, from packed operands. */
function differentiateBlock(
  args: i32,
  batch: i32,
  query: i32,
  queryEnd: i32,
  key: i32,
  keyEnd: i32,
  scratch: i32,
): void {
  const queries = queryEnd - query;
  const keys = keyEnd - key;
  const scores = scoresOf(args, scratch);
  const slopes = slopesOf(args, scratch);
  const left = part(args, scratch, LEFT);
  const upstream = part(args, scratch, LEFT_UPSTREAM);
  multiply(left, part(args, scratch, RIGHT_KEYS), queries, keys, word(args, WIDTH), scores, BLOCK_BYTES, true);
  multiply(upstream, part(args, scratch, RIGHT_VALUES), queries, keys, word(args, VALUES), slopes, BLOCK_BYTES, true);
  const first = batch * word(args, QUERIES);
  const statistics = elements(
    args,
    STATISTICS,
    2 * (first + query),
    2 * (first + queryEnd),
    statisticsOf(args, scratch),
  );
  const deltas = elements(args, DELTA, first + query, first + queryEnd, deltaOf(args, scratch));
  for (let r = 0; r < queries; r++) {
    const row = scores + r * BLOCK_BYTES;
    maskRow(args, batch, query + r, key, keys, row, scratch);
    differentiate(
      row,
      slopes + r * BLOCK_BYTES,
      keys,
      load<f32>(statistics + (r << 3)),
      load<f32>(statistics + (r << 3), 4),
      load<f32>(deltas + (r << 2)),
      load<f32>(args + (SCALE << 2)),
      dropoutRow(args, batch, query + r, key, keys, scratch),
    );
  }
}

/** The address of rows [start, end) of a batch of an operand, whose rows before the batch are `before`. */
function rowsOf(args: i32, operand: i32, before: i32, start: i32, end: i32, width: i32, scratch: i32): i32 {
  return elements(args, operand, (before + start) * width, (before + end) * width, part(args, scratch, COMPUTED));
}

function packQueries(args: i32, batch: i32, query: i32, end: i32, scratch: i32): void {
  const width = word(args, WIDTH);
  const source = rowsOf(args, Q, batch * word(args, QUERIES), query, end, width, scratch);
  packLeftRows(part(args, scratch, LEFT), source, width << 2, end - query, width);
}

function packUpstream(args: i32, batch: i32, query: i32, end: i32, scratch: i32): void {
  const values = word(args, VALUES);
  const source = rowsOf(args, UPSTREAM, batch * word(args, QUERIES), query, end, values, scratch);
  packLeftRows(part(args, scratch, LEFT_UPSTREAM), source, values << 2, end - query, values);
}

function packKeys(args: i32, batch: i32, key: i32, end: i32, scratch: i32): void {
  const width = word(args, WIDTH);
  const source = rowsOf(args, K, batch * word(args, KEYS), key, end, width, scratch);
  packRightRows(part(args, scratch, RIGHT_KEYS), source, width << 2, end - key, width);
}

function packValues(args: i32, batch: i32, key: i32, end: i32, scratch: i32): void {
  const values = word(args, VALUES);
  const source = rowsOf(args, V, batch * word(args, KEYS), key, end, values, scratch);
  packRightRows(part(args, scratch, RIGHT_VALUES), source, values << 2, end - key, values);
}

/** The product of packed panels, whose result has room for whole tiles; see `tile4x8`. */
function multiply(
  left: i32,
  right: i32,
  rows: i32,
  columns: i32,
  inner: i32,
  result: i32,
  stride: i32,
  fresh: bool,
): void {
  for (let c = 0; c < columns; c += 8) {
    const step = columns - c > 4 ? 32 : 16;
    for (let r = 0; r < rows; r += 4) {
      const panel = left + r * (inner << 2);
      const to = result + r * stride + (c << 2);
      if (step === 32) tile4x8(panel, right, inner, to, stride, fresh);
      else tile4x4(panel, right, inner, to, stride, fresh);
    }
    right += inner * step;
  }
}

/** Copies rows of `columns` elements into a result with rows of `width` elements. */
function storeRows(result: i32, width: i32, from: i32, stride: i32, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++) memory.copy(result + ((r * width) << 2), from + r * stride, columns << 2);
}
