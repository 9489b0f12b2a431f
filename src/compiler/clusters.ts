import type { Tensor } from "../graph/tensor.ts";
import { isPack } from "../graph/traits.ts";
import { rootOf } from "../graph/views.ts";
import { anchorTraits, isLiteral, isStepScalar, pointwiseTraits } from "./nodes.ts";

/** A member of a group that is still growing. */
export interface GrowingMember {
  anchor: Tensor | undefined;
  /** In the order of the graph. */
  nodes: readonly Tensor[];
  /** The anchor is the sum of this value of another member of the cluster. */
  totalOf: Tensor | undefined;
}

/** A group that is still growing. */
export interface Cluster {
  members: readonly GrowingMember[];
}

/** Which nodes have been put together so far, and what may still be. */
export class Clusters {
  readonly #order: ReadonlyMap<Tensor, number>;
  readonly #inlined: ReadonlySet<Tensor>;
  readonly #memberOf = new Map<Tensor, GrowingMember>();
  readonly #clusterOf = new Map<GrowingMember, Cluster>();
  /** Atomic results, and states that follow from them, with the nodes whose kernels make them. */
  readonly #alongside = new Map<Tensor, readonly Tensor[]>();

  constructor(nodes: readonly Tensor[], inlined: ReadonlySet<Tensor>) {
    this.#order = new Map(nodes.map((node, position) => [node, position]));
    this.#inlined = inlined;
  }

  all(): Cluster[] {
    return [...new Set(this.#clusterOf.values())];
  }

  memberOf(node: Tensor): GrowingMember | undefined {
    return this.#memberOf.get(node);
  }

  clusterOf(member: GrowingMember): Cluster {
    return this.#clusterOf.get(member)!;
  }

  /** Notes that the kernels of some nodes make another one along, which then is in no cluster. */
  makeAlongside(node: Tensor, makers: readonly Tensor[]): void {
    this.#alongside.set(node, makers);
  }

  /** The nodes whose kernels make a node along; undefined for one that is not made so. */
  makersAlongside(node: Tensor): readonly Tensor[] | undefined {
    return this.#alongside.get(node);
  }

  /** A new cluster of one member with one node. */
  add(node: Tensor): GrowingMember {
    const member = { anchor: anchorTraits(node) ? node : undefined, nodes: [node], totalOf: undefined };
    this.#memberOf.set(node, member);
    this.#clusterOf.set(member, { members: [member] });
    return member;
  }

  remove(member: GrowingMember): void {
    const cluster = this.clusterOf(member);
    cluster.members = cluster.members.filter((other) => other !== member);
    this.#clusterOf.delete(member);
    for (const node of member.nodes) this.#memberOf.delete(node);
  }

  /** Whether two members, of which the second is alone in its cluster, can compute their values at the same elements. */
  mayMerge(into: GrowingMember, from: GrowingMember): boolean {
    const [a, b] = [this.clusterOf(into), this.clusterOf(from)];
    if (a === b || b.members.length > 1 || (into.anchor && from.anchor) || into.nodes[0]!.size !== from.nodes[0]!.size)
      return false;
    const merged = this.#merged(into, from);
    const members = [...a.members.filter((member) => member !== into), merged];
    return this.#isLegal(members) && !this.#pathAround(a, b) && !this.#pathAround(b, a);
  }

  merge(into: GrowingMember, from: GrowingMember): GrowingMember {
    const cluster = this.clusterOf(into);
    const merged = this.#merged(into, from);
    cluster.members = cluster.members.map((member) => (member === into ? merged : member));
    this.#clusterOf.delete(into);
    this.#clusterOf.delete(from);
    this.#clusterOf.set(merged, cluster);
    for (const node of merged.nodes) this.#memberOf.set(node, merged);
    return merged;
  }

  /** Whether two clusters can be members of one kernel. */
  mayJoin([a, b]: readonly [Cluster, Cluster]): boolean {
    return this.#isLegal([...a.members, ...b.members]) && !this.#pathAround(a, b) && !this.#pathAround(b, a);
  }

  /** Puts the members of a cluster behind those of another. */
  join(into: Cluster, from: Cluster): void {
    into.members = [...into.members, ...from.members];
    for (const member of from.members) this.#clusterOf.set(member, into);
  }

  /** The tensors that a node reads, through views and inlined nodes; a pack is one. */
  operands(node: Tensor): Tensor[] {
    return this.operandsAmong(node.inputs);
  }

  /** The tensors that a node with some inputs reads. */
  operandsAmong(inputs: readonly Tensor[]): Tensor[] {
    return inputs.map(rootOf).flatMap((root) => {
      if (isLiteral(root) || isStepScalar(root)) return [];
      return this.#inlined.has(root) ? this.operands(root) : [root];
    });
  }

  #merged(into: GrowingMember, from: GrowingMember): GrowingMember {
    const nodes = [...into.nodes, ...from.nodes].sort((a, b) => this.#order.get(a)! - this.#order.get(b)!);
    return { anchor: into.anchor ?? from.anchor, nodes, totalOf: into.totalOf ?? from.totalOf };
  }

  /** Whether no node needs, in memory, what a node of the same kernel makes. */
  #isLegal(members: readonly GrowingMember[]): boolean {
    const made = new Set(members.flatMap(({ nodes }) => nodes));
    return members.every((member) =>
      member.nodes.every((node) => {
        if (member.totalOf && node === member.anchor) return true;
        const aligned = !anchorTraits(node) && !pointwiseTraits(node)?.gathers;
        return this.operands(node).every((root) => {
          if (aligned && member.nodes.includes(root)) return true;
          return !this.#makersOf(root).some((maker) => made.has(maker));
        });
      }),
    );
  }

  /** Whether `to` needs something that needs `from` through a third cluster, so that the two cannot be one. */
  #pathAround(from: Cluster, to: Cluster): boolean {
    const seen = new Set<Cluster>([to]);
    const stack = this.#sources(to).filter((cluster) => cluster !== from);
    while (stack.length > 0) {
      const cluster = stack.pop()!;
      if (cluster === from) return true;
      if (seen.has(cluster)) continue;
      seen.add(cluster);
      stack.push(...this.#sources(cluster));
    }
    return false;
  }

  #sources(cluster: Cluster): Cluster[] {
    const found = new Set<Cluster>();
    for (const node of cluster.members.flatMap(({ nodes }) => nodes)) {
      for (const root of this.#memoryInputs(node)) {
        const member = this.#memberOf.get(root);
        const source = member && this.clusterOf(member);
        if (source && source !== cluster) found.add(source);
      }
    }
    return [...found];
  }

  /** As operands, but what their kernels make for packs and for what is made alongside. */
  #memoryInputs(node: Tensor): Tensor[] {
    return this.operands(node).flatMap((root) => this.#makersOf(root));
  }

  /** The nodes whose kernels must have run before a tensor can be read. */
  #makersOf(root: Tensor): readonly Tensor[] {
    return this.#alongside.get(root) ?? (isPack(root) ? this.#memoryInputs(root) : [root]);
  }
}
