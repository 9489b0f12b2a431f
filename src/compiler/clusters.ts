import type { Tensor } from "../graph/tensor.ts";
import { isPack } from "../graph/traits.ts";
import { earlierThan, rootOf } from "../graph/views.ts";
import { anchorTraits, isLiteral, isStepScalar, gathersFrom } from "./nodes.ts";
import { isReachable } from "./reachability.ts";

/** A member of a group that is still growing. */
export interface GrowingMember {
  anchor: Tensor | undefined;
  /** In graph order. */
  nodes: readonly Tensor[];
  /** Set if the anchor is the sum of this value of another member of the cluster. */
  sumOf: Tensor | undefined;
}

/** A group that is still growing. */
export interface Cluster {
  members: readonly GrowingMember[];
}

/** The clusters so far, and which of them may still be merged. */
export class Clusters {
  readonly #order: ReadonlyMap<Tensor, number>;
  readonly #inlined: ReadonlySet<Tensor>;
  readonly #memberOf = new Map<Tensor, GrowingMember>();
  readonly #clusterOf = new Map<GrowingMember, Cluster>();
  readonly #operandsOf = new Map<Tensor, readonly Tensor[]>();
  readonly #memoryInputsOf = new Map<Tensor, readonly Tensor[]>();
  #inputsOf = new WeakMap<Cluster, readonly Tensor[]>();
  /** Atomic results and the states that depend on them, with the nodes whose kernels compute them. */
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

  /** Records that the kernels of some nodes also compute another one, which is then in no cluster. */
  makeAlongside(node: Tensor, makers: readonly Tensor[]): void {
    this.#alongside.set(node, makers);
    this.#forget();
  }

  /** The nodes whose kernels also compute a node; undefined for a node that is not computed this way. */
  makersAlongside(node: Tensor): readonly Tensor[] | undefined {
    return this.#alongside.get(node);
  }

  /** Adds a new cluster with one member and one node. */
  add(node: Tensor): GrowingMember {
    const member = { anchor: anchorTraits(node) ? node : undefined, nodes: [node], sumOf: undefined };
    this.#memberOf.set(node, member);
    this.#clusterOf.set(member, { members: [member] });
    return member;
  }

  remove(member: GrowingMember): void {
    const cluster = this.clusterOf(member);
    cluster.members = cluster.members.filter((other) => other !== member);
    this.#clusterOf.delete(member);
    for (const node of member.nodes) this.#memberOf.delete(node);
    // Readers now compute the nodes of the removed member themselves.
    this.#forget();
  }

  /** Whether two members can compute their values at the same elements. The second must be alone in its cluster. */
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
    this.#inputsOf.delete(cluster);
    this.#clusterOf.delete(into);
    this.#clusterOf.delete(from);
    this.#clusterOf.set(merged, cluster);
    for (const node of merged.nodes) this.#memberOf.set(node, merged);
    return merged;
  }

  /** Whether two clusters can share one kernel. */
  mayJoin([a, b]: readonly [Cluster, Cluster]): boolean {
    return this.#isLegal([...a.members, ...b.members]) && !this.#pathAround(a, b) && !this.#pathAround(b, a);
  }

  /** Appends the members of a cluster to another. */
  join(into: Cluster, from: Cluster): void {
    into.members = [...into.members, ...from.members];
    this.#inputsOf.delete(into);
    for (const member of from.members) this.#clusterOf.set(member, into);
  }

  /** The tensors that a node reads, through views and inlined nodes. A pack counts as one. */
  operands(node: Tensor): readonly Tensor[] {
    let operands = this.#operandsOf.get(node);
    if (!operands) this.#operandsOf.set(node, (operands = this.operandsAmong(node.inputs)));
    return operands;
  }

  /** The tensors that a node with some inputs reads. */
  operandsAmong(inputs: readonly Tensor[]): Tensor[] {
    return inputs.map(rootOf).flatMap((root) => {
      if (isLiteral(root) || isStepScalar(root)) return [];
      return this.#inlined.has(root) ? this.operands(root) : [root];
    });
  }

  /** The tensors that must be computed before a node, besides those that it reads: see `isBarrier` of views. */
  earlier({ inputs }: Tensor): Tensor[] {
    const inlined = inputs.map(rootOf).filter((root) => this.#inlined.has(root));
    const earlier = inputs.flatMap(earlierThan);
    return [
      ...earlier.flatMap((root) => (this.#inlined.has(root) ? this.operands(root) : [root])),
      ...inlined.flatMap((node) => this.earlier(node)),
    ];
  }

  /** Tensors in the reverse order of the graph. */
  latestFirst(tensors: readonly Tensor[]): Tensor[] {
    const positionOf = (tensor: Tensor) => this.#order.get(tensor) ?? -1;
    return tensors.toSorted((a, b) => positionOf(b) - positionOf(a));
  }

  #merged(into: GrowingMember, from: GrowingMember): GrowingMember {
    const nodes = [...into.nodes, ...from.nodes].sort((a, b) => this.#order.get(a)! - this.#order.get(b)!);
    return { anchor: into.anchor ?? from.anchor, nodes, sumOf: into.sumOf ?? from.sumOf };
  }

  /** Whether no node reads, from memory, the result of another node of the same kernel. */
  #isLegal(members: readonly GrowingMember[]): boolean {
    const made = new Set(members.flatMap(({ nodes }) => nodes));
    return members.every((member) =>
      member.nodes.every((node) => {
        if (member.sumOf && node === member.anchor) return true;
        return this.operands(node).every((root) => {
          if (member.nodes.includes(root) && !anchorTraits(node) && !gathersFrom(node, root, this.#inlined))
            return true;
          return !this.#makersOf(root).some((maker) => made.has(maker));
        });
      }),
    );
  }

  /** Whether `to` depends on `from` through a third cluster, so that the two cannot be merged. */
  #pathAround(from: Cluster, to: Cluster): boolean {
    const others = this.#sources(to).filter((cluster) => cluster !== from);
    return isReachable(from, others, (cluster) => this.#sources(cluster));
  }

  #sources(cluster: Cluster): Cluster[] {
    const found = new Set<Cluster>();
    for (const root of this.#clusterInputs(cluster)) {
      const member = this.#memberOf.get(root);
      const source = member && this.clusterOf(member);
      if (source && source !== cluster) found.add(source);
    }
    return [...found];
  }

  #clusterInputs(cluster: Cluster): readonly Tensor[] {
    let inputs = this.#inputsOf.get(cluster);
    if (!inputs) {
      const nodes = cluster.members.flatMap((member) => member.nodes);
      inputs = [...new Set(nodes.flatMap((node) => this.#memoryInputs(node)))];
      this.#inputsOf.set(cluster, inputs);
    }
    return inputs;
  }

  /** What must be computed before a node: for a pack, or a result that other kernels compute too, the nodes of those kernels. */
  #memoryInputs(node: Tensor): readonly Tensor[] {
    let inputs = this.#memoryInputsOf.get(node);
    if (!inputs) {
      const needed = [...this.operands(node), ...this.earlier(node)];
      inputs = [...new Set(needed.flatMap((root) => this.#makersOf(root)))];
      this.#memoryInputsOf.set(node, inputs);
    }
    return inputs;
  }

  /** The nodes whose kernels must have run before a tensor can be read. */
  #makersOf(root: Tensor): readonly Tensor[] {
    return this.#alongside.get(root) ?? (isPack(root) ? this.#memoryInputs(root) : [root]);
  }

  /** Clears the cached inputs, which are looked up often while clusters grow. */
  #forget(): void {
    this.#operandsOf.clear();
    this.#memoryInputsOf.clear();
    this.#inputsOf = new WeakMap();
  }
}
