/*
 * Pass 2: the order of the groups, and the region of every value. Values that are alive at the same time never share a
 * buffer, except for the slices of a pack. A group that works in place reads and writes one region through one binding.
 */
import type { Graph } from "../graph/graph.ts";
import { constantOp, isStored } from "../graph/leaves.ts";
import { Tensor, type Op } from "../graph/tensor.ts";
import { isPack, packOffsets } from "../graph/traits.ts";
import { rootOf } from "../graph/views.ts";
import { copy } from "../ops/layout/index.ts";
import type { BackendRules } from "./backend-rules.ts";
import { nodesOf, type Fusion, type Group } from "./fuse.ts";
import { gathersFrom, isLiteral, isStepScalar } from "./nodes.ts";
import { isReachable } from "./reachability.ts";
import { overlaps, wholeBuffer, type Region, type VirtualBuffer } from "./regions.ts";
import { assignSlots } from "./slots.ts";

/** The order of the kernels of a step, and where its values are. */
export interface Plan {
  /** The groups of a step, in order. */
  readonly groups: readonly Group[];
  /** The region of each tensor that is read or written in memory; views are resolved. */
  readonly regions: ReadonlyMap<Tensor, Region>;
  /** The buffers that values use one after the other. */
  readonly slots: ReadonlySet<VirtualBuffer>;
  /** Scalar outputs, which every step of a run reports. */
  readonly traces: readonly { readonly name: string; readonly tensor: Tensor }[];
  /** Outputs of several elements. */
  readonly kept: ReadonlyMap<string, Tensor>;
  readonly fusion: Fusion;
}

/** Where the session stores leaves, and packs of leaves that are stored together. */
export type StoredRegionOf = (leafOrPack: Tensor) => Region | undefined;

/** Part of a vector in memory, as a tensor that can be copied. */
const sliceOp: Op = { name: "slice", kind: "leaf" };

/** Orders the groups of a graph and assigns a region to every value, under the rules of a backend. */
export function plan(graph: Graph, fusion: Fusion, rules: BackendRules, storedRegionOf: StoredRegionOf): Plan {
  return new Planner(graph, fusion, rules, storedRegionOf).run();
}

class Planner {
  readonly #graph: Graph;
  readonly #fusion: Fusion;
  readonly #rules: BackendRules;
  readonly #storedRegionOf: StoredRegionOf;
  readonly #groups: Group[];
  /** Copies that must run after all readers of the values that they overwrite. */
  readonly #lastGroups: Group[] = [];
  readonly #makers = new Map<Tensor, Group>();
  /** The groups that make an atomic result, or a state that follows from it, alongside. */
  readonly #makersAlongside = new Map<Tensor, readonly Group[]>();
  readonly #regions = new Map<Tensor, Region>();
  /** The values in the slices of a pack: the members, or copies of them. */
  readonly #slices = new Map<Tensor, readonly Tensor[]>();
  /** Groups that must run before another one without providing a value to it: readers of values that it overwrites. */
  readonly #before = new Map<Group, Group[]>();

  constructor(graph: Graph, fusion: Fusion, rules: BackendRules, storedRegionOf: StoredRegionOf) {
    this.#graph = graph;
    this.#fusion = fusion;
    this.#rules = rules;
    this.#storedRegionOf = storedRegionOf;
    this.#groups = [...fusion.groups];
    for (const group of this.#groups) for (const output of group.outputs) this.#makers.set(output, group);
    for (const group of this.#groups) {
      for (const node of new Set([...group.atomics.map(({ result }) => result), ...group.replacements]))
        this.#makersAlongside.set(node, [...(this.#makersAlongside.get(node) ?? []), group]);
    }
  }

  run(): Plan {
    const traces: { name: string; tensor: Tensor }[] = [];
    const kept = new Map<string, Tensor>();
    for (const [name, output] of Object.entries(this.#graph.outputs)) {
      const tensor = this.#computedOrCopied(output);
      if (tensor.size === 1) traces.push({ name, tensor });
      else kept.set(name, tensor);
    }
    for (const node of this.#graph.nodes) this.#placeLeaf(node);
    for (const node of this.#graph.nodes.filter(isPack)) this.#placePack(node);
    // Before the updates: an output stored in a leaf would change when the leaf is updated.
    for (const [name, tensor] of kept) {
      if (!this.#regions.has(tensor)) this.#regions.set(tensor, wholeBuffer(`output ${name}`, tensor.size));
    }
    this.#placeUpdates();
    const groups = [...this.#freeingEarly(this.#inOrder()), ...this.#lastGroups];
    const slots = assignSlots(groups, this.#regions);
    return { groups, regions: this.#regions, slots, traces, kept, fusion: this.#fusion };
  }

  /** The root of an output if a group computes it, else a copy of it. */
  #computedOrCopied(output: Tensor): Tensor {
    const root = rootOf(output);
    const isMade = this.#makers.has(root) || this.#fusion.atomics.includes(root);
    return isMade ? root : this.#copy(output, this.#groups);
  }

  #copy(tensor: Tensor, into: Group[]): Tensor {
    const copied = copy(tensor);
    const members = [{ anchor: undefined, chain: [copied], sumOf: undefined }];
    const inputs = this.#memoryOf(tensor);
    const group = { members, outputs: [copied], inputs, follows: [], atomics: [], replacements: [] };
    into.push(group);
    this.#makers.set(copied, group);
    return copied;
  }

  #memoryOf(tensor: Tensor): Tensor[] {
    const root = rootOf(tensor);
    if (isLiteral(root) || isStepScalar(root)) return [];
    return this.#fusion.inlined.has(root)
      ? [...new Set(root.inputs.flatMap((input) => this.#memoryOf(input)))]
      : [root];
  }

  #placeLeaf(node: Tensor): void {
    if (isStored(node)) this.#regions.set(node, this.#storedRegionOf(node)!);
    else if (node.op === constantOp && !isLiteral(node)) this.#regions.set(node, wholeBuffer("constant", node.size));
  }

  /** Members are computed directly in their slices if possible, else copied there. */
  #placePack(packed: Tensor): void {
    const stored = this.#storedRegionOf(packed);
    if (stored) {
      this.#regions.set(packed, stored);
      return;
    }
    const whole = wholeBuffer("pack", packed.size);
    this.#regions.set(packed, whole);
    const offsets = packOffsets(packed);
    const roots = packed.inputs.map(rootOf);
    const makers = new Set(roots.map((root) => this.#makers.get(root)));
    const slices = packed.inputs.map((member, position) => {
      const root = rootOf(member);
      // A group may read one slice and write another, which would bind the buffer for both.
      const readByMaker = this.#rules.oneAccessPerBuffer && [...makers].some((maker) => maker?.inputs.includes(root));
      const mixed = readByMaker || roots.indexOf(root) !== roots.lastIndexOf(root);
      const direct = this.#makers.has(root) && !this.#regions.has(root) && !mixed;
      const placed = direct ? root : this.#copy(member, this.#groups);
      this.#regions.set(placed, { buffer: whole.buffer, offset: offsets[position]!, elements: member.size });
      return placed;
    });
    this.#slices.set(packed, slices);
  }

  /**
   * Updates in place if possible; else the value is stored separately and copied after all old values were read. Values
   * that are old values themselves are saved first, so that all readers are known before regions are assigned.
   */
  #placeUpdates(): void {
    const unplaced = new Set<Tensor>();
    const values = this.#graph.updates.map(({ target, value }) => {
      const root = rootOf(value);
      if (this.#fusion.replacements.get(root) === target) return root;
      const own = this.#makers.has(root) && !this.#regions.has(root) && !unplaced.has(root);
      const saved = own ? root : this.#copy(value, this.#groups);
      unplaced.add(saved);
      return saved;
    });
    this.#graph.updates.forEach(({ target }, position) => this.#placeUpdate(target, values[position]!));
  }

  #placeUpdate(target: Tensor, value: Tensor): void {
    const region = this.#storedRegionOf(target);
    if (region && this.#fusion.replacements.get(value) === target) {
      this.#regions.set(value, region);
      return;
    }
    if (!region) {
      this.#scatterUpdate(target, value);
      return;
    }
    const maker = this.#makers.get(value)!;
    const readers = this.#readersOf(region).filter((reader) => reader !== maker);
    if (!this.#mayOverwrite(target, region, maker) || readers.some((reader) => this.#dependsOn(reader, maker))) {
      this.#regions.set(this.#copy(value, this.#lastGroups), region);
      return;
    }
    this.#before.set(maker, [...(this.#before.get(maker) ?? []), ...readers]);
    this.#regions.set(value, region);
  }

  /** The members of a pack are stored separately: its new value is stored as a whole, and then copied to each. */
  #scatterUpdate(target: Tensor, value: Tensor): void {
    const { buffer } = wholeBuffer("new values of a pack", value.size);
    this.#regions.set(value, { buffer, offset: 0, elements: value.size });
    const offsets = packOffsets(target);
    target.inputs.forEach((member, position) => {
      const slice = new Tensor(sliceOp, [], {}, member);
      this.#regions.set(slice, { buffer, offset: offsets[position]!, elements: member.size });
      this.#regions.set(this.#copy(slice, this.#lastGroups), this.#storedRegionOf(member)!);
    });
  }

  /**
   * Whether a group may write its result over the target: it reads the target only at its own element, or not at all.
   */
  #mayOverwrite(target: Tensor, region: Region, group: Group): boolean {
    const nodes = nodesOf(group);
    if (group.members.some(({ anchor }) => anchor)) return false;
    const conflicts = group.inputs.some((input) => {
      const other = input === target ? undefined : this.#regions.get(input);
      return (
        other !== undefined &&
        (this.#rules.oneAccessPerBuffer ? other.buffer === region.buffer : overlaps(other, region))
      );
    });
    const elsewhere = nodes.some((node) => gathersFrom(node, target, this.#fusion.inlined));
    return !conflicts && !elsewhere && (!group.inputs.includes(target) || target.size === nodes[0]!.size);
  }

  /** The groups that read a region's value from the start of the step. */
  #readersOf(region: Region): Group[] {
    const reads = (input: Tensor) => {
      const other = this.#regions.get(input);
      const isOld = input.op.kind === "leaf" || this.#storedRegionOf(input) !== undefined;
      return isOld && other !== undefined && overlaps(other, region);
    };
    return this.#groups.filter((group) => group.inputs.some(reads));
  }

  #dependsOn(group: Group, other: Group): boolean {
    return isReachable(other, [group], (next) => this.#needs(next));
  }

  /** The groups that must run before another. */
  #needs(group: Group): Group[] {
    const sources = [...group.inputs, ...group.follows].flatMap((input) => this.#slices.get(input) ?? [input]);
    const makers = sources.flatMap((source) => this.#makers.get(source) ?? this.#makersAlongside.get(source) ?? []);
    return [...makers, ...(this.#before.get(group) ?? [])].filter((other) => other !== group);
  }

  /** Groups in topological order: depth first, in the order in which they were found. */
  #inOrder(): Group[] {
    const ordered = new Set<Group>();
    const visit = (group: Group): void => {
      if (ordered.has(group)) return;
      for (const needed of this.#needs(group)) visit(needed);
      ordered.add(group);
    };
    for (const group of this.#groups) visit(group);
    return [...ordered];
  }

  /**
   * Moves groups forward that free more memory than they take, to where their inputs are ready: the gradients of weights, which
   * are the last readers of activations, then run within the backward pass and not after it.
   */
  #freeingEarly(groups: readonly Group[]): Group[] {
    const readers = new Map<Tensor, Set<Group>>();
    for (const group of groups)
      for (const input of group.inputs) readers.set(input, (readers.get(input) ?? new Set()).add(group));
    const ordered = new Set<Group>();
    const unread = (input: Tensor) => [...readers.get(input)!].filter((reader) => !ordered.has(reader));
    const held = (tensor: Tensor) => (this.#makers.has(tensor) && !this.#regions.has(tensor) ? tensor.size : 0);
    const frees = (group: Group) =>
      sum(group.inputs.filter((input) => unread(input).length === 1).map(held)) > sum(group.outputs.map(held));
    const place = (first: Group) => {
      const stack = [first];
      for (let group = stack.pop(); group; group = stack.pop()) {
        if (ordered.has(group)) continue;
        ordered.add(group);
        const touched = [...group.inputs, ...group.outputs].filter((tensor) => readers.has(tensor)).flatMap(unread);
        stack.push(...touched.filter((other) => this.#needs(other).every((need) => ordered.has(need)) && frees(other)));
      }
    };
    for (const group of groups) place(group);
    return [...ordered];
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
