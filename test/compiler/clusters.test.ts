import { expect, test } from "vitest";
import { Clusters } from "../../src/compiler/clusters.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { rootOf } from "../../src/graph/views.ts";
import { add, multiply, relu, tanh } from "../../src/ops/elementwise/index.ts";
import { flip } from "../../src/ops/indexing/index.ts";
import { pack } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";

const x = input("x", [4, 6]);
const w = input("w", [6, 6]);

/** Clusters of one node each, in the order given. */
function clustersOf(nodes: readonly Tensor[], inlined: readonly Tensor[] = []) {
  const clusters = new Clusters(nodes, new Set(inlined));
  const members = nodes.map((node) => clusters.add(node));
  return { clusters, members };
}

test("a chain merges with the anchor that it continues, and keeps the order of the graph", () => {
  const product = matmul(x, w);
  const sloped = relu(product);
  const scaled = multiply(sloped, 2);
  const { clusters, members } = clustersOf([product, sloped, scaled]);
  expect(clusters.mayMerge(members[0]!, members[2]!)).toBe(false);
  const merged = clusters.merge(members[0]!, members[1]!);
  expect(clusters.mayMerge(merged, members[2]!)).toBe(true);
  const all = clusters.merge(merged, members[2]!);
  expect(all).toMatchObject({ anchor: product, nodes: [product, sloped, scaled] });
  expect(clusters.all()).toHaveLength(1);
  for (const node of [product, sloped, scaled]) expect(clusters.memberOf(node)).toBe(all);
});

test("nodes of other sizes, and two anchors, do not merge", () => {
  const [first, second] = [matmul(x, w), matmul(x, w)];
  const row = tanh(sum(first, { axes: 0 }));
  const { clusters, members } = clustersOf([first, second, row]);
  expect(clusters.mayMerge(members[0]!, members[1]!)).toBe(false);
  expect(clusters.mayMerge(members[0]!, members[2]!)).toBe(false);
});

test("two nodes between which another cluster lies do not merge", () => {
  const start = tanh(x);
  const total = sum(start);
  const end = add(start, total);
  const { clusters, members } = clustersOf([start, rootOf(total), end]);
  expect(clusters.mayMerge(members[0]!, members[2]!)).toBe(false);
  expect(clusters.mayJoin([clusters.clusterOf(members[0]!), clusters.clusterOf(members[2]!)])).toBe(false);
});

test("a node does not merge with one whose other elements it reads, also through a move that is not stored", () => {
  const start = tanh(x);
  const moved = flip(start, 0);
  const end = add(start, moved);
  const inlined = clustersOf([start, end], [moved]);
  expect(inlined.clusters.operands(end)).toEqual([start, start]);
  expect(inlined.clusters.mayMerge(inlined.members[0]!, inlined.members[1]!)).toBe(false);
  const alone = clustersOf([start, add(start, 1)]);
  expect(alone.clusters.mayMerge(alone.members[0]!, alone.members[1]!)).toBe(true);
});

test("a node that reads a pack does not merge with a maker of one of its slices", () => {
  const start = tanh(input("flat", [64]));
  const packed = pack([start]);
  const end = multiply(packed, 2);
  const { clusters, members } = clustersOf([start, end]);
  expect(clusters.operands(end)).toEqual([packed]);
  expect(clusters.mayMerge(members[0]!, members[1]!)).toBe(false);
});

test("after a member is removed, its nodes belong to no cluster, and others read what it read", () => {
  const start = tanh(x);
  const middle = relu(start);
  const end = rootOf(sum(middle));
  const inlined = new Set<Tensor>();
  const clusters = new Clusters([start, middle, end], inlined);
  const [first, second, third] = [start, middle, end].map((node) => clusters.add(node));
  expect(clusters.operands(end)).toEqual([middle]);
  inlined.add(middle);
  clusters.remove(second!);
  expect(clusters.memberOf(middle)).toBeUndefined();
  expect(clusters.operands(end)).toEqual([start]);
  // The sum now needs the first cluster directly, and cannot be in one kernel with it.
  expect(clusters.mayJoin([clusters.clusterOf(first!), clusters.clusterOf(third!)])).toBe(false);
});
