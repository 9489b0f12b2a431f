/*
 * Pass 1: which nodes run together. A group is one kernel: an anchor (an op with a kernel of its own) followed by
 * pointwise nodes on its results, or pointwise nodes alone. Rules over the graph, no patterns of networks:
 *  - a pointwise node joins the groups that make its inputs, if it reads them at its own element;
 *  - nodes that read no memory (constants, per-step scalars, dropout masks) are computed again wherever they are read;
 *  - a pointwise group that only a reduction reads becomes part of how the reduction reads.
 */
import type { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { anchorKernel, isComputed, isLiteral, isPack, isStepScalar, pointwiseKernel, rootOf } from "./kernels.ts";

export interface Group {
  readonly anchor: Tensor | undefined;
  /** Pointwise nodes computed for each element, each after its inputs. */
  readonly chain: readonly Tensor[];
  /** The nodes whose values others read, or that are outputs or new values of leaves. */
  readonly outputs: readonly Tensor[];
  /** Tensors it reads from memory, views resolved. */
  readonly inputs: readonly Tensor[];
}

export interface Fusion {
  readonly groups: readonly Group[];
  /** Nodes that are computed inside whatever reads them, and have no memory. */
  readonly inlined: ReadonlySet<Tensor>;
}

/** A group that is still growing. */
interface Cluster {
  anchor: Tensor | undefined;
  nodes: Tensor[];
  size: number;
}

/** @param mostBindings how many buffers one kernel may bind */
export function fuse(graph: Graph, mostBindings: number): Fusion {
  return new Fuser(graph, mostBindings).run();
}

class Fuser {
  readonly #nodes: readonly Tensor[];
  readonly #mostBindings: number;
  /** Nodes whose values must lie in memory: outputs, new values of leaves, members of packs. */
  readonly #wanted: ReadonlySet<Tensor>;
  readonly #readers = new Map<Tensor, Tensor[]>();
  readonly #inlined = new Set<Tensor>();
  readonly #clusterOf = new Map<Tensor, Cluster>();

  constructor(graph: Graph, mostBindings: number) {
    this.#nodes = graph.nodes.filter(isComputed);
    this.#mostBindings = mostBindings;
    const packed = graph.nodes.filter(isPack).flatMap(({ inputs }) => inputs);
    this.#wanted = new Set([...Object.values(graph.outputs), ...graph.updates.map(({ value }) => value), ...packed].map(rootOf));
    for (const node of this.#nodes) {
      for (const root of new Set(node.inputs.map(rootOf))) this.#readers.set(root, [...(this.#readers.get(root) ?? []), node]);
    }
  }

  run(): Fusion {
    for (const node of this.#nodes) {
      if (this.#readsNoMemory(node) && !this.#wanted.has(node)) this.#inlined.add(node);
      else this.#place(node);
    }
    this.#absorbIntoReductions();
    const clusters = [...new Set(this.#clusterOf.values())].flatMap((cluster) => this.#split(cluster));
    const groups = clusters.map((cluster) => this.#finish(cluster));
    return { groups, inlined: this.#inlined };
  }

  #readsNoMemory(node: Tensor): boolean {
    if (!pointwiseKernel(node)) return false;
    return node.inputs.map(rootOf).every((root) => isLiteral(root) || isStepScalar(root) || this.#inlined.has(root));
  }

  #place(node: Tensor): void {
    let own: Cluster = { anchor: anchorKernel(node) ? node : undefined, nodes: [node], size: node.size };
    this.#clusterOf.set(node, own);
    if (own.anchor) return;
    for (const root of this.#operands(node)) {
      const other = this.#clusterOf.get(root);
      if (other && other !== own && this.#mayMerge(other, own)) own = this.#merge(other, own);
    }
  }

  #merge(into: Cluster, from: Cluster): Cluster {
    const nodes = this.#nodes.filter((node) => into.nodes.includes(node) || from.nodes.includes(node));
    const merged = { anchor: into.anchor ?? from.anchor, nodes, size: into.size };
    for (const node of nodes) this.#clusterOf.set(node, merged);
    return merged;
  }

  #mayMerge(a: Cluster, b: Cluster): boolean {
    if (a.size !== b.size || (a.anchor && b.anchor)) return false;
    if (this.#readsElsewhere(a, b) || this.#readsElsewhere(b, a)) return false;
    return !this.#pathAround(a, b) && !this.#pathAround(b, a);
  }

  /** Whether `reader` needs a value of `source` in memory: at another element, as an anchor's operand, or in a pack. */
  #readsElsewhere(reader: Cluster, source: Cluster): boolean {
    return reader.nodes.some((node) => {
      const aligned = !anchorKernel(node) && !pointwiseKernel(node)?.gathers;
      const elsewhere = aligned ? this.#operands(node).filter(isPack).flatMap((packed) => this.#memoryInputs(packed)) : this.#memoryInputs(node);
      return elsewhere.some((root) => source.nodes.includes(root));
    });
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
    for (const node of cluster.nodes) {
      for (const root of this.#memoryInputs(node)) {
        const source = this.#clusterOf.get(root);
        if (source && source !== cluster) found.add(source);
      }
    }
    return [...found];
  }

  /** The tensors in memory that a node's value depends on directly or through inlined nodes, packs by their members. */
  #memoryInputs(node: Tensor): Tensor[] {
    return node.inputs.map(rootOf).flatMap((root) => {
      if (isLiteral(root) || isStepScalar(root)) return [];
      return isPack(root) || this.#inlined.has(root) ? this.#memoryInputs(root) : [root];
    });
  }

  #absorbIntoReductions(): void {
    for (const node of this.#nodes) {
      for (const position of anchorKernel(node)?.prologues ?? []) {
        const root = rootOf(node.inputs[position]!);
        const cluster = this.#clusterOf.get(root);
        if (!cluster || cluster.anchor || !this.#onlyReads(node, root, cluster)) continue;
        for (const member of cluster.nodes) {
          this.#inlined.add(member);
          this.#clusterOf.delete(member);
        }
      }
    }
  }

  /** Whether nothing but `reader` uses anything of the cluster, and it only the value `root`. */
  #onlyReads(reader: Tensor, root: Tensor, cluster: Cluster): boolean {
    if (reader.inputs.filter((input) => cluster.nodes.includes(rootOf(input))).length > 1) return false;
    return cluster.nodes.every((member) => {
      if (this.#wanted.has(member)) return false;
      return (this.#readers.get(member) ?? []).every((other) => cluster.nodes.includes(other) || (member === root && other === reader));
    });
  }

  /** Cuts a cluster that binds more buffers than a kernel may into several, in the order of its nodes. */
  #split(cluster: Cluster): Cluster[] {
    const result: Cluster[] = [];
    let rest = cluster.nodes;
    while (rest.length > 0) {
      let length = rest.length;
      while (length > 1 && this.#bindings(rest.slice(0, length)) > this.#mostBindings) length--;
      const nodes = rest.slice(0, length);
      result.push({ anchor: nodes.find((node) => node === cluster.anchor), nodes, size: cluster.size });
      rest = rest.slice(length);
    }
    return result;
  }

  #bindings(nodes: readonly Tensor[]): number {
    return this.#inputsOf(nodes).length + this.#outputsOf(nodes).length;
  }

  #inputsOf(nodes: readonly Tensor[]): Tensor[] {
    const direct = nodes.flatMap((node) => this.#operands(node));
    return [...new Set(direct)].filter((root) => !nodes.includes(root));
  }

  /** As memoryInputs, but a pack is one operand. */
  #operands(node: Tensor): Tensor[] {
    return node.inputs.map(rootOf).flatMap((root) => {
      if (isLiteral(root) || isStepScalar(root)) return [];
      return this.#inlined.has(root) ? this.#operands(root) : [root];
    });
  }

  #outputsOf(nodes: readonly Tensor[]): Tensor[] {
    return nodes.filter((node) => this.#wanted.has(node) || this.#finalReaders(node).some((reader) => !nodes.includes(reader)));
  }

  /** Who reads a node, looking through inlined nodes. */
  #finalReaders(node: Tensor): Tensor[] {
    return (this.#readers.get(node) ?? []).flatMap((reader) => (this.#inlined.has(reader) ? this.#finalReaders(reader) : [reader]));
  }

  #finish({ anchor, nodes }: Cluster): Group {
    const chain = nodes.filter((node) => node !== anchor);
    return { anchor, chain, outputs: this.#outputsOf(nodes), inputs: this.#inputsOf(nodes) };
  }
}

