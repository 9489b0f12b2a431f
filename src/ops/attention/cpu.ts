import type { CpuKernel, NumericArray } from "../kernel.ts";
import { matrixOf } from "../matmul/batches.ts";
import { operandsOf, type FusedAttributes, type FusedOperands } from "./fused.ts";

type Operands = FusedOperands<NumericArray>;

/** Calls `visit` for each key that a query may attend to. `query` and `key` count the rows of all batches. */
type EachKey = (query: number, visit: (key: number, score: number) => void) => void;

function keysOf({ q, k, mask }: Operands, attributes: FusedAttributes): EachKey {
  const { queries, keys, width, scale, causal } = attributes;
  return (query, visit) => {
    const [batch, position] = [Math.floor(query / queries), query % queries];
    const maskRow = attributes.mask
      ? matrixOf(batch, attributes.mask.sizes, attributes.mask.leading) + position * attributes.mask.query
      : 0;
    for (let j = 0; j < (causal ? position + 1 : keys); j++) {
      if (mask && mask[maskRow + j] === 0) continue;
      visit(batch * keys + j, scale * dot(q, query * width, k, (batch * keys + j) * width, width));
    }
  };
}

/** The factor of the weight of a key. */
const keptOf =
  ({ dropout }: Operands, { queries, keys }: FusedAttributes) =>
  (query: number, key: number): number =>
    dropout ? dropout[query * keys + key - Math.floor(query / queries) * keys]! : 1;

const attention: CpuKernel = (node, inputs, output) => {
  const attributes = node.attributes as FusedAttributes;
  const { batches, queries, values } = attributes;
  const operands = operandsOf(node, inputs);
  const [eachKey, kept] = [keysOf(operands, attributes), keptOf(operands, attributes)];
  for (let query = 0; query < batches * queries; query++) {
    let largest = -Infinity;
    eachKey(query, (_, score) => (largest = Math.max(largest, score)));
    let total = 0;
    eachKey(query, (_, score) => (total += Math.exp(score - largest)));
    const sums = new Float64Array(values);
    eachKey(query, (key, score) => {
      const weight = (kept(query, key) * Math.exp(score - largest)) / total;
      addRow(sums, weight, operands.v, key * values);
    });
    output.set([...sums, largest, total], query * (values + 2));
  }
};

/** Calls `visit` for each query and key with the weight after dropout, and with the gradient of the score without its factor. */
function eachPair(
  operands: Operands,
  attributes: FusedAttributes,
  visit: (query: number, key: number, weight: number, slope: number) => void,
): void {
  const { batches, queries, values, scale } = attributes;
  const { v, statistics, upstream, delta } = operands as Required<Operands>;
  const [eachKey, kept] = [keysOf(operands, attributes), keptOf(operands, attributes)];
  for (let query = 0; query < batches * queries; query++) {
    const [largest, total] = [statistics[2 * query]!, statistics[2 * query + 1]!];
    eachKey(query, (key, score) => {
      const weight = Math.exp(score - largest) / total;
      const factor = kept(query, key);
      const ofWeight = factor * dot(upstream, query * values, v, key * values, values);
      visit(query, key, factor * weight, scale * weight * (ofWeight - delta[query]!));
    });
  }
}

const attentionQueryGradient: CpuKernel = (node, inputs, output) => {
  const attributes = node.attributes as FusedAttributes;
  const { width } = attributes;
  const operands = operandsOf(node, inputs);
  const sums = new Float64Array(output.length);
  eachPair(operands, attributes, (query, key, _, slope) => {
    addRow(sums.subarray(query * width, (query + 1) * width), slope, operands.k, key * width);
  });
  output.set(sums);
};

const attentionKeyValueGradient: CpuKernel = (node, inputs, output) => {
  const attributes = node.attributes as FusedAttributes;
  const { width, values } = attributes;
  const operands = operandsOf(node, inputs);
  const sums = new Float64Array(output.length);
  eachPair(operands, attributes, (query, key, weight, slope) => {
    const row = sums.subarray(key * (width + values), (key + 1) * (width + values));
    addRow(row.subarray(0, width), slope, operands.q, query * width);
    addRow(row.subarray(width), weight, operands.upstream!, query * values);
  });
  output.set(sums);
};

function dot(a: NumericArray, atA: number, b: NumericArray, atB: number, size: number): number {
  let total = 0;
  for (let i = 0; i < size; i++) total += a[atA + i]! * b[atB + i]!;
  return total;
}

/** Adds a row of a matrix, times a factor, to sums. */
function addRow(sums: Float64Array, factor: number, rows: NumericArray, at: number): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += factor * rows[at + i]!;
}

export const kernels = { attention, attentionQueryGradient, attentionKeyValueGradient };
