/*
 * Pass 1: which nodes run together. A group is one kernel. It has members: an anchor (an op with a kernel of its own)
 * followed by pointwise nodes on its results, or pointwise nodes alone. Rules over the graph, no patterns of networks:
 *  - a pointwise node joins the member that makes one of its inputs, if it reads them at its own element;
 *  - an anchor joins another one's group if that one's kernel can compute it along (`canFuse` of the op's traits and of
 *    the backend's rules), and so does a sum over all of a member's results where the kernel makes totals;
 *  - nodes that read no memory (constants, per-step scalars, dropout masks), cheap ones that read only leaves, and those
 *    that only move elements of something in memory (slices, transposes, batches) are computed again wherever they are
 *    read, except by a virtual op if the backend stores the inputs of such ops;
 *  - a pointwise group that only a reduction reads becomes part of how the reduction reads;
 *  - atomic results, and states that they replace, are computed by the kernels that make their inputs, if the rules of
 *    the backend allow it. Scalars that follow from them are recomputed wherever they are read.
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
  totalOperation,
} from "./nodes.ts";

/** Values that one finish function receives or computes, element by element. */
export interface Member {
  readonly anchor: Tensor | undefined;
  /** Pointwise nodes computed for each element, each after its inputs. */
  readonly chain: readonly Tensor[];
  /** Set if the anchor is the sum of this value of another member, computed by the same kernel. */
  readonly totalOf: Tensor | undefined;
}

export interface Group {
  readonly members: readonly Member[];
  /** The nodes whose values are read by others, or that are outputs or new values of leaves. */
  readonly outputs: readonly Tensor[];
  /** The tensors it reads from memory, with views resolved. */
  readonly inputs: readonly Tensor[];
  /** What it gives to atomic results. */
  readonly atomics: readonly AtomicPart[];
  /** New values of states that it stores if it is the first to raise such a result above 0. */
  readonly replacements: readonly Tensor[];
}

export interface Fusion {
  readonly groups: readonly Group[];
  /** Nodes that are computed inside their readers and have no memory. */
  readonly inlined: ReadonlySet<Tensor>;
  /** The atomic results that groups make along. */
  readonly atomics: readonly Tensor[];
  /** New values that groups store along with them, each with the state that has it. */
  readonly replacements: ReadonlyMap<Tensor, Tensor>;
}

/** The nodes of a group, each after its inputs within its member. */
export const nodesOf = ({ members }: Group): Tensor[] =>
  members.flatMap(({ anchor, chain }) => (anchor ? [anchor, ...chain] : chain));

/** The anchors that the kernel of a group computes, without totals. */
export const anchorsOf = ({ members }: { members: readonly Pick<Member, "anchor" | "totalOf">[] }): Tensor[] =>
  members.flatMap(({ anchor, totalOf }) => (anchor && !totalOf ? [anchor] : []));

/** Decides which nodes run together, from the traits of their ops and the rules of a backend. */
export function fuse(graph: Graph, rules: BackendRules): Fusion {
  return new Fuser(graph, rules).run();
}

/** A gather of more tensors is computed into memory: each would take a binding of every kernel that reads it. */
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
  /** New values of states that follow from an atomic result, with that result. */
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
      else if (this.#isAlongside(node)) continue;
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

  /** Has other kernels make a node along, if it is one that they can make so. */
  #isAlongside(node: Tensor): boolean {
    if (!this.#rules.atomics) return false;
    if (!atomicTraits(node)) return this.#replaces(node);
    const parts = sourcesOf(node).map(({ tensor, offset }) => ({ result: node, value: this.#madeBy(tensor), offset }));
    this.#atomics.push(...parts);
    this.#clusters.makeAlongside(
      node,
      parts.map(({ value }) => value),
    );
    return true;
  }

  /** A node whose kernel has the elements of a tensor at hand: what makes it, or a group that only reads it. */
  #madeBy(tensor: Tensor): Tensor {
    const root = rootOf(tensor);
    return this.#clusters.memberOf(root) ? root : this.#clusters.add(copy(tensor)).nodes[0]!;
  }

  /** Has the kernels of an atomic result store the state that a node replaces, if nothing else needs the old value. */
  #replaces(node: Tensor): boolean {
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

  /** Whether the kernel of a node may bind another buffer. */
  #hasRoom(node: Tensor): boolean {
    const { members } = this.#clusters.clusterOf(this.#clusters.memberOf(node)!);
    return this.#bindings(members.flatMap(({ nodes }) => nodes)) < this.#rules.mostBindings;
  }

  #placePointwise(node: Tensor): void {
    let member = this.#clusters.add(node);
    for (const root of this.#clusters.operands(node)) {
      const other = this.#clusters.memberOf(root);
      if (!other || other === member) continue;
      if (this.#clusters.mayMerge(other, member)) member = this.#clusters.merge(other, member);
      else if (this.#clusters.mayMerge(member, other)) member = this.#clusters.merge(member, other);
    }
  }

  #placeAnchor(node: Tensor): void {
    const member = this.#clusters.add(node);
    if (this.#joinsAsTotal(node, member)) return;
    const own = this.#clusters.clusterOf(member);
    for (const other of this.#clusters.all()) {
      const anchors = anchorsOf(other);
      if (other === own || anchors.length === 0) continue;
      const along = this.#canFuse(anchors, node);
      // Whether two clusters may be one takes a walk over the graph, so it is asked last.
      if (!along && !(anchors.length === 1 && this.#canFuse([node], anchors[0]!))) continue;
      if (!this.#clusters.mayJoin([own, other])) continue;
      if (along) this.#clusters.join(other, own);
      else this.#clusters.join(own, other);
      return;
    }
  }

  /** Whether the kernel of some anchors can also compute another one. */
  #canFuse(anchors: readonly Tensor[], other: Tensor): boolean {
    return (anchorTraits(anchors[0]!)?.canFuse?.(anchors, other) ?? false) && this.#rules.canFuse(anchors);
  }

  /** A sum over all results of a member joins the member's cluster if its kernel makes totals. */
  #joinsAsTotal(node: Tensor, member: GrowingMember): boolean {
    const value = rootOf(node.inputs[0]!);
    const maker = this.#clusters.memberOf(value);
    if (!maker || !totalOperation(node)) return false;
    const cluster = this.#clusters.clusterOf(maker);
    const anchors = anchorsOf(cluster);
    if (anchors.length === 0 || maker.totalOf || !this.#rules.makesTotals(anchors)) return false;
    member.totalOf = value;
    const own = this.#clusters.clusterOf(member);
    if (!this.#clusters.mayJoin([cluster, own])) {
      member.totalOf = undefined;
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

  /** Has the nodes of a member computed where they are read. */
  #inline(member: GrowingMember): void {
    for (const node of member.nodes) this.#inlined.add(node);
    this.#clusters.remove(member);
  }

  /** Whether only `reader` uses any of the nodes, and of them only the value `root`. */
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
      return cluster.members.flatMap((member) => this.#split({ members: [{ ...member, totalOf: undefined }] }));
    }
    const [member] = cluster.members;
    const result: Cluster[] = [];
    let rest = member!.nodes;
    while (rest.length > 0) {
      let length = rest.length;
      while (length > 1 && this.#bindings(rest.slice(0, length)) > this.#rules.mostBindings) length--;
      const nodes = rest.slice(0, length);
      result.push({ members: [{ anchor: nodes.find((node) => node === member!.anchor), nodes, totalOf: undefined }] });
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
    const members = cluster.members.map(({ anchor, nodes: own, totalOf }) => ({
      anchor,
      chain: own.filter((node) => node !== anchor),
      totalOf,
    }));
    const atomics = this.#atomicsOf(nodes);
    return {
      members,
      outputs: this.#outputsOf(nodes),
      inputs: this.#inputsOf(nodes),
      atomics,
      replacements: this.#replacementsOf(atomics),
    };
  }
}
