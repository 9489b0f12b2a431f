/*
 * Pass 1: decides which nodes run together. A group is one kernel. It has members: an anchor (an op with its own
 * kernel) followed by pointwise nodes on its results, or pointwise nodes alone. The rules apply to any graph and know
 * no network architectures:
 *  - a pointwise node joins the member that computes one of its inputs, if it reads that input elementwise. It prefers the
 *    input that is computed last, so that each term of a long sum is added by the kernel that computes it;
 *  - an anchor joins the group of another one whose kernel can also compute it (`canFuse` of the op's traits and of the
 *    backend's rules), and so does a sum over all results of a member, if the kernel can fuse reductions;
 *  - nodes that read no memory (constants, per-step scalars, dropout masks), cheap ones that read only leaves, and
 *    those that only move elements of stored tensors (slices, transposes, batches) are recomputed wherever they are
 *    read, except by a virtual op if the backend stores the inputs of such ops;
 *  - a pointwise group that only a reduction reads becomes the prologue of the reduction;
 *  - atomic results and the states that they replace are computed by the kernels of their inputs, if the rules of the
 *    backend allow it. Scalars that depend on them are recomputed wherever they are read.
 */
import type { Graph } from "../graph/graph.ts";
import { constantOp, isStored } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { isPack } from "../graph/traits.ts";
import { rootOf } from "../graph/views.ts";
import { copy } from "../ops/layout/index.ts";
import { replacedState, sourcesOf, type AtomicPart } from "./atomics.ts";
import type { BackendRules } from "./backend-rules.ts";
import { Clusters, type Cluster, type GrowingMember } from "./clusters.ts";
import {
  anchorTraits,
  atomicTraits,
  isComputed,
  isLiteral,
  isStepScalar,
  pointwiseTraits,
  fullReduction,
} from "./nodes.ts";

/** The values that one finish function receives or computes, element by element. */
export interface Member {
  readonly anchor: Tensor | undefined;
  /** The pointwise nodes computed for each element, in topological order. */
  readonly chain: readonly Tensor[];
  /** Set if the anchor is the sum of this value of another member, computed by the same kernel. */
  readonly sumOf: Tensor | undefined;
}

/** What one kernel computes, reads and writes. */
export interface Group {
  readonly members: readonly Member[];
  /** The nodes that other groups read, or that are outputs or new values of leaves. */
  readonly outputs: readonly Tensor[];
  /** The tensors it reads from memory, with views resolved. */
  readonly inputs: readonly Tensor[];
  /** The tensors that must be computed before, besides its inputs. */
  readonly follows: readonly Tensor[];
  /** The contributions to atomic results. */
  readonly atomics: readonly AtomicPart[];
  /** New values of states, which it stores if it is the first to raise their atomic result above 0. */
  readonly replacements: readonly Tensor[];
}

/** What fusion decides about a graph. */
export interface Fusion {
  readonly groups: readonly Group[];
  /** Nodes that are computed inside their readers and have no memory. */
  readonly inlined: ReadonlySet<Tensor>;
  /** The atomic results that groups compute alongside their nodes. */
  readonly atomics: readonly Tensor[];
  /** The new values that groups store alongside their nodes, each with its state. */
  readonly replacements: ReadonlyMap<Tensor, Tensor>;
}

/** The nodes of a group, in topological order within each member. */
export const nodesOf = ({ members }: Group): Tensor[] =>
  members.flatMap(({ anchor, chain }) => (anchor ? [anchor, ...chain] : chain));

/** The anchors that the kernel of a group computes, without fused reductions over results. */
export const anchorsOf = ({ members }: { members: readonly Pick<Member, "anchor" | "sumOf">[] }): Tensor[] =>
  members.flatMap(({ anchor, sumOf }) => (anchor && !sumOf ? [anchor] : []));

/** Decides which nodes run together, from the traits of their ops and the rules of a backend. */
export function fuse(graph: Graph, rules: BackendRules): Fusion {
  return new Fuser(graph, rules).run();
}

/** A gather from more tensors is stored: each tensor would need a binding in every kernel that reads the gather. */
const MOST_GATHERED = 4;

class Fuser {
  readonly #graph: Graph;
  readonly #nodes: readonly Tensor[];
  readonly #rules: BackendRules;
  /** Nodes whose values must be stored in memory: outputs, new values of leaves, members of packs. */
  readonly #wanted: ReadonlySet<Tensor>;
  readonly #readers = new Map<Tensor, Tensor[]>();
  readonly #inlined = new Set<Tensor>();
  readonly #clusters: Clusters;
  readonly #atomics: AtomicPart[] = [];
  /** New values of states that depend on an atomic result, with that result. */
  readonly #replacements = new Map<Tensor, Tensor>();

  constructor(graph: Graph, rules: BackendRules) {
    this.#graph = graph;
    this.#nodes = graph.nodes.filter(isComputed);
    this.#rules = rules;
    this.#clusters = new Clusters(this.#nodes, this.#inlined);
    const packed = graph.nodes.filter(isPack).flatMap(({ inputs }) => inputs);
    this.#wanted = new Set(
      [...Object.values(graph.outputs), ...graph.updates.map(({ value }) => value), ...packed].map(rootOf),
    );
    for (const node of this.#nodes) {
      for (const root of new Set(node.inputs.map(rootOf)))
        this.#readers.set(root, [...(this.#readers.get(root) ?? []), node]);
    }
  }

  run(): Fusion {
    for (const node of this.#nodes) {
      if (this.#isInlined(node)) this.#inlined.add(node);
      else if (this.#tryAlongside(node)) continue;
      else if (anchorTraits(node)) this.#placeAnchor(node);
      else this.#placePointwise(node);
    }
    this.#absorbIntoReductions();
    const clusters = this.#clusters.all().flatMap((cluster) => this.#split(cluster));
    return {
      groups: clusters.map((cluster) => this.#finish(cluster)),
      inlined: this.#inlined,
      atomics: this.#nodes.filter((node) => atomicTraits(node) && this.#clusters.makersAlongside(node)),
      replacements: new Map([...this.#replacements].map(([node]) => [node, replacedState(this.#graph, node)!])),
    };
  }

  #isInlined(node: Tensor): boolean {
    const traits = pointwiseTraits(node);
    if (!traits || !this.#rules.recomputes || this.#wanted.has(node)) return false;
    if (this.#rules.storesVirtualInputs && this.#readers.get(node)?.some((reader) => pointwiseTraits(reader)?.virtual))
      return false;
    if (traits.cheap && traits.gathers) return this.#clusters.operands(node).length <= MOST_GATHERED;
    return node.inputs.map(rootOf).every((root) => {
      if (isLiteral(root) || isStepScalar(root)) return true;
      if (node.size === 1 && !traits.gathers && this.#followsAtomics(root)) return true;
      if (traits.cheap) return isStored(root) || root.op === constantOp;
      return this.#inlined.has(root) && !pointwiseTraits(root)?.cheap;
    });
  }

  #followsAtomics(root: Tensor): boolean {
    if (this.#clusters.makersAlongside(root)) return true;
    return this.#inlined.has(root) && root.inputs.map(rootOf).some((input) => this.#followsAtomics(input));
  }

  /** Tries to let the kernels of other nodes compute a node too. @returns whether they do */
  #tryAlongside(node: Tensor): boolean {
    if (!this.#rules.atomics) return false;
    if (!atomicTraits(node)) return this.#tryReplace(node);
    const parts = sourcesOf(node).map(({ tensor, offset }) => ({ result: node, value: this.#makerOf(tensor), offset }));
    this.#atomics.push(...parts);
    this.#clusters.makeAlongside(
      node,
      parts.map(({ value }) => value),
    );
    return true;
  }

  /**
   * A node whose kernel has the elements of a tensor: the tensor's own root, or a new copy of it that only reads it.
   */
  #makerOf(tensor: Tensor): Tensor {
    const root = rootOf(tensor);
    return this.#clusters.memberOf(root) ? root : this.#clusters.add(copy(tensor)).nodes[0]!;
  }

  /**
   * Tries to let the kernels of an atomic result store the state that a node replaces, which is possible if nothing else needs the
   * old value.
   * @returns whether they do
   */
  #tryReplace(node: Tensor): boolean {
    const state = replacedState(this.#graph, node);
    if (!state || this.#wanted.has(state)) return false;
    const condition = rootOf(node.inputs[0]!);
    const makers = this.#clusters.makersAlongside(condition);
    if (!makers?.every((maker) => this.#hasRoom(maker))) return false;
    const replacement = rootOf(node.inputs[2]!);
    const member = this.#clusters.memberOf(replacement);
    const chain = member?.nodes ?? [];
    const needed = [node.inputs[2]!, ...chain.flatMap(({ inputs }) => inputs)];
    const needsOnlyState = this.#clusters.operandsAmong(needed).every((root) => root === state || chain.includes(root));
    const isOnlyReader = (this.#readers.get(state) ?? []).every((reader) => reader === node || chain.includes(reader));
    if (member?.anchor || !needsOnlyState || !isOnlyReader || !this.#onlyReads(node, replacement, chain)) return false;
    if (member) this.#inline(member);
    this.#replacements.set(node, condition);
    this.#clusters.makeAlongside(node, makers);
    return true;
  }

  /** Whether the kernel of a node can bind one more buffer. */
  #hasRoom(node: Tensor): boolean {
    const { members } = this.#clusters.clusterOf(this.#clusters.memberOf(node)!);
    return this.#bindings(members.flatMap(({ nodes }) => nodes)) < this.#rules.mostBindings;
  }

  #placePointwise(node: Tensor): void {
    let member = this.#clusters.add(node);
    for (const root of this.#clusters.latestFirst(this.#clusters.operands(node))) {
      const other = this.#clusters.memberOf(root);
      if (!other || other === member) continue;
      if (this.#clusters.mayMerge(other, member)) member = this.#clusters.merge(other, member);
      else if (this.#clusters.mayMerge(member, other)) member = this.#clusters.merge(member, other);
    }
  }

  #placeAnchor(node: Tensor): void {
    const member = this.#clusters.add(node);
    if (this.#tryJoinAsReduction(node, member)) return;
    const own = this.#clusters.clusterOf(member);
    for (const other of this.#clusters.all()) {
      const anchors = anchorsOf(other);
      if (other === own || anchors.length === 0) continue;
      const joinsOther = this.#canFuse(anchors, node);
      // `mayJoin` walks the graph, so it is checked last.
      if (!joinsOther && !(anchors.length === 1 && this.#canFuse([node], anchors[0]!))) continue;
      if (!this.#clusters.mayJoin([own, other])) continue;
      if (joinsOther) this.#clusters.join(other, own);
      else this.#clusters.join(own, other);
      return;
    }
  }

  /** Whether the kernel of some anchors can also compute another one. */
  #canFuse(anchors: readonly Tensor[], other: Tensor): boolean {
    return (anchorTraits(anchors[0]!)?.canFuse?.(anchors, other) ?? false) && this.#rules.canFuse(anchors);
  }

  /** Tries to fuse a sum over all results of a member into that member's cluster. @returns whether it is fused */
  #tryJoinAsReduction(node: Tensor, member: GrowingMember): boolean {
    const value = rootOf(node.inputs[0]!);
    const maker = this.#clusters.memberOf(value);
    if (!maker || !fullReduction(node)) return false;
    const cluster = this.#clusters.clusterOf(maker);
    const anchors = anchorsOf(cluster);
    if (anchors.length === 0 || maker.sumOf || !this.#rules.fusesReductions(anchors)) return false;
    member.sumOf = value;
    const own = this.#clusters.clusterOf(member);
    if (!this.#clusters.mayJoin([cluster, own])) {
      member.sumOf = undefined;
      return false;
    }
    this.#clusters.join(cluster, own);
    return true;
  }

  #absorbIntoReductions(): void {
    for (const node of this.#nodes) {
      for (const position of anchorTraits(node)?.prologues ?? []) {
        const root = rootOf(node.inputs[position]!);
        const member = this.#clusters.memberOf(root);
        if (member && !member.anchor && this.#onlyReads(node, root, member.nodes)) this.#inline(member);
      }
    }
  }

  /** Lets readers compute the nodes of a member themselves. */
  #inline(member: GrowingMember): void {
    for (const node of member.nodes) this.#inlined.add(node);
    this.#clusters.remove(member);
  }

  /** Whether `reader` is the only reader of the nodes outside them, and reads only the value `root`. */
  #onlyReads(reader: Tensor, root: Tensor, nodes: readonly Tensor[]): boolean {
    if (reader.inputs.filter((input) => nodes.includes(rootOf(input))).length > 1) return false;
    return nodes.every((node) => {
      if (this.#wanted.has(node)) return false;
      return (this.#readers.get(node) ?? []).every(
        (other) => nodes.includes(other) || (node === root && other === reader),
      );
    });
  }

  /**
   * Splits groups that bind more buffers than a kernel may: first between members, then along the nodes of a member.
   */
  #split(cluster: Cluster): Cluster[] {
    if (this.#bindings(cluster.members.flatMap(({ nodes }) => nodes)) <= this.#rules.mostBindings) return [cluster];
    if (cluster.members.length > 1) {
      return cluster.members.flatMap((member) => this.#split({ members: [{ ...member, sumOf: undefined }] }));
    }
    const [member] = cluster.members;
    const result: Cluster[] = [];
    let rest = member!.nodes;
    while (rest.length > 0) {
      let length = rest.length;
      while (length > 1 && this.#bindings(rest.slice(0, length)) > this.#rules.mostBindings) length--;
      const nodes = rest.slice(0, length);
      result.push({ members: [{ anchor: nodes.find((node) => node === member!.anchor), nodes, sumOf: undefined }] });
      rest = rest.slice(length);
    }
    return result;
  }

  #bindings(nodes: readonly Tensor[]): number {
    const replacements = this.#replacementsOf(this.#atomicsOf(nodes));
    return this.#inputsOf(nodes).length + this.#outputsOf(nodes).length + replacements.length;
  }

  #atomicsOf(nodes: readonly Tensor[]): AtomicPart[] {
    return this.#atomics.filter(({ value }) => nodes.includes(value));
  }

  #replacementsOf(atomics: readonly AtomicPart[]): Tensor[] {
    const follows = ([, condition]: [Tensor, Tensor]) => atomics.some(({ result }) => result === condition);
    return [...this.#replacements].filter(follows).map(([node]) => node);
  }

  #inputsOf(nodes: readonly Tensor[]): Tensor[] {
    const direct = nodes.flatMap((node) => this.#clusters.operands(node));
    return [...new Set(direct)].filter((root) => !nodes.includes(root));
  }

  #outputsOf(nodes: readonly Tensor[]): Tensor[] {
    const within = new Set(nodes);
    return nodes.filter(
      (node) => this.#wanted.has(node) || this.#finalReaders(node).some((reader) => !within.has(reader)),
    );
  }

  /** The readers of a node, through inlined nodes. */
  #finalReaders(node: Tensor): Tensor[] {
    return (this.#readers.get(node) ?? []).flatMap((reader) => {
      if (this.#clusters.makersAlongside(reader)) return [];
      return this.#inlined.has(reader) ? this.#finalReaders(reader) : [reader];
    });
  }

  #finish(cluster: Cluster): Group {
    const nodes = cluster.members.flatMap((member) => member.nodes);
    const members = cluster.members.map(({ anchor, nodes: own, sumOf }) => ({
      anchor,
      chain: own.filter((node) => node !== anchor),
      sumOf,
    }));
    const atomics = this.#atomicsOf(nodes);
    return {
      members,
      outputs: this.#outputsOf(nodes),
      inputs: this.#inputsOf(nodes),
      follows: [...new Set(nodes.flatMap((node) => this.#clusters.earlier(node)))],
      atomics,
      replacements: this.#replacementsOf(atomics),
    };
  }
}
