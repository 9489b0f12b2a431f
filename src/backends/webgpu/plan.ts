/*
 * Pass 2: in which order the groups run and where every value lies. Values that live at the same time never share a
 * buffer, so no dispatch binds one buffer both to read and to write, which WebGPU refuses even for disjoint ranges.
 * What works in place reads and writes one region through one binding.
 */
import { GraphError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { constantOp, isStored } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { identity } from "../../ops/elementwise/index.ts";
import type { PackAttributes } from "../../ops/layout/index.ts";
import type { Fusion, Group } from "./fuse.ts";
import { isLiteral, isPack, isStepScalar, rootOf } from "./kernels.ts";
import { assignSlots } from "./slots.ts";

/** A buffer that recording makes real; known by identity. */
export interface VirtualBuffer {
  readonly label: string;
  /** Elements of four bytes. */
  elements: number;
}

/** Part of a buffer: a multiple of 64 elements from its start, so that it can be bound. */
export interface Region {
  readonly buffer: VirtualBuffer;
  readonly offset: number;
  readonly elements: number;
}

/** The most steps that go into one submit: rows of the trace, slots of the ring of per-step scalars. */
export const STEPS_PER_SUBMIT = 256;

export interface Plan {
  /** What a step runs, in order. */
  readonly groups: readonly Group[];
  /** Where each tensor that is read or written in memory lies; views are resolved. */
  readonly regions: ReadonlyMap<Tensor, Region>;
  /** Scalar outputs, in the order of their columns in the trace of a step. */
  readonly traces: readonly { readonly name: string; readonly tensor: Tensor }[];
  /** One row of scalar outputs per step of a submit. */
  readonly trace: Region;
  /** Outputs of several elements. */
  readonly kept: ReadonlyMap<string, Tensor>;
  readonly fusion: Fusion;
}

/** Where the session keeps leaves, and packs of leaves that lie together. */
export type StoredRegion = (leafOrPack: Tensor) => Region | undefined;

export function plan(graph: Graph, fusion: Fusion, storedRegion: StoredRegion): Plan {
  return new Planner(graph, fusion, storedRegion).run();
}

class Planner {
  readonly #graph: Graph;
  readonly #fusion: Fusion;
  readonly #storedRegion: StoredRegion;
  readonly #groups: Group[];
  /** Copies that must come after everything that reads what they overwrite. */
  readonly #lastGroups: Group[] = [];
  readonly #makers = new Map<Tensor, Group>();
  readonly #regions = new Map<Tensor, Region>();
  /** Groups that must run before another although they give it no value: readers of what it overwrites. */
  readonly #before = new Map<Group, Group[]>();

  constructor(graph: Graph, fusion: Fusion, storedRegion: StoredRegion) {
    this.#graph = graph;
    this.#fusion = fusion;
    this.#storedRegion = storedRegion;
    this.#groups = [...fusion.groups];
    for (const group of this.#groups) for (const output of group.outputs) this.#makers.set(output, group);
  }

  run(): Plan {
    const traces: { name: string; tensor: Tensor }[] = [];
    const kept = new Map<string, Tensor>();
    for (const [name, output] of Object.entries(this.#graph.outputs)) {
      const tensor = this.#computed(output);
      if (tensor.size === 1) traces.push({ name, tensor });
      else kept.set(name, tensor);
    }
    for (const node of this.#graph.nodes) this.#placeLeaf(node);
    for (const node of this.#graph.nodes.filter(isPack)) this.#placePack(node);
    for (const { target, value } of this.#graph.updates) this.#placeUpdate(target, value);
    for (const [name, tensor] of kept) {
      if (!this.#regions.has(tensor)) this.#regions.set(tensor, wholeBuffer(`output ${name}`, tensor.size));
    }
    const groups = [...inOrder(this.#groups, this.#before), ...this.#lastGroups];
    assignSlots(groups, this.#regions);
    const trace = wholeBuffer("trace", STEPS_PER_SUBMIT * traces.length);
    return { groups, regions: this.#regions, traces, trace, kept, fusion: this.#fusion };
  }

  /** The root of an output if a group makes it, else a copy of it. */
  #computed(output: Tensor): Tensor {
    const root = rootOf(output);
    return this.#makers.has(root) ? root : this.#copy(output, this.#groups);
  }

  #copy(tensor: Tensor, into: Group[]): Tensor {
    const copied = identity(tensor);
    const group = { anchor: undefined, chain: [copied], outputs: [copied], inputs: this.#memoryOf(tensor) };
    into.push(group);
    this.#makers.set(copied, group);
    return copied;
  }

  #memoryOf(tensor: Tensor): Tensor[] {
    const root = rootOf(tensor);
    if (isLiteral(root) || isStepScalar(root)) return [];
    return this.#fusion.inlined.has(root) ? [...new Set(root.inputs.flatMap((input) => this.#memoryOf(input)))] : [root];
  }

  #placeLeaf(node: Tensor): void {
    if (isStored(node)) this.#regions.set(node, this.#storedRegion(node)!);
    else if (node.op === constantOp && !isLiteral(node)) this.#regions.set(node, wholeBuffer("constant", node.size));
  }

  /** Members are computed in their places if nothing stands against it, else copied there. */
  #placePack(packed: Tensor): void {
    const stored = this.#storedRegion(packed);
    if (stored) {
      this.#regions.set(packed, stored);
      return;
    }
    const whole = wholeBuffer("pack", packed.size);
    this.#regions.set(packed, whole);
    const { offsets } = packed.attributes as PackAttributes;
    const makers = new Set(packed.inputs.map((member) => this.#makers.get(rootOf(member))));
    packed.inputs.forEach((member, position) => {
      const root = rootOf(member);
      // A group that reads one slice and writes another would bind the buffer both ways.
      const mixed = [...makers].some((maker) => maker?.inputs.includes(root));
      const direct = this.#makers.has(root) && !this.#regions.has(root) && !mixed;
      const placed = direct ? root : this.#copy(member, this.#groups);
      this.#regions.set(placed, { buffer: whole.buffer, offset: offsets[position]!, elements: member.size });
    });
  }

  #placeUpdate(target: Tensor, value: Tensor): void {
    const region = this.#storedRegion(target);
    if (!region) {
      throw new GraphError({
        where: "update",
        what: `the members of ${target} were placed apart by a graph compiled before`,
        fix: "Compile the graph that updates them first",
      });
    }
    const root = rootOf(value);
    const maker = this.#makers.get(root);
    if (maker && !this.#regions.has(root) && this.#mayOverwrite(target, maker)) {
      this.#before.set(maker, [...(this.#before.get(maker) ?? []), ...this.#readersOf(target).filter((reader) => reader !== maker)]);
      this.#regions.set(root, region);
      return;
    }
    // A leaf's old value, or a value that is already placed, is saved first: its place may be overwritten as well.
    const saved = maker && !this.#regions.has(root) ? value : this.#copy(value, this.#groups);
    this.#regions.set(this.#copy(saved, this.#lastGroups), region);
  }

  /** Whether a group may write its result over the target while others, and it itself, still read the old values. */
  #mayOverwrite(target: Tensor, maker: Group): boolean {
    if (maker.anchor) return false;
    const members = new Set(isPack(target) ? target.inputs : [target]);
    const readsPart = maker.inputs.some((input) => input !== target && (members.has(input) || (isPack(input) && input.inputs.some((leaf) => members.has(leaf)))));
    const aligned = maker.inputs.includes(target) ? target.size === maker.chain[0]!.size && !this.#gathers(maker, target) : true;
    return !readsPart && aligned && this.#readersOf(target).every((reader) => reader === maker || !this.#dependsOn(reader, maker));
  }

  #gathers(group: Group, target: Tensor): boolean {
    return group.chain.some((node) => node.op.kernel !== "elementwise" && node.inputs.some((input) => rootOf(input) === target));
  }

  #readersOf(target: Tensor): Group[] {
    const members = new Set<Tensor>([target, ...(isPack(target) ? target.inputs : [])]);
    const overlaps = (input: Tensor) => members.has(input) || (isPack(input) && input.inputs.some((leaf) => members.has(leaf)));
    return this.#groups.filter((group) => group.inputs.some(overlaps));
  }

  #dependsOn(group: Group, other: Group): boolean {
    const seen = new Set<Group>();
    const stack = [group];
    while (stack.length > 0) {
      const next = stack.pop()!;
      if (next === other) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      stack.push(...predecessors(next, this.#makers, this.#before));
    }
    return false;
  }
}

export function wholeBuffer(label: string, elements: number): Region {
  return { buffer: { label, elements }, offset: 0, elements };
}

function predecessors(group: Group, makers: ReadonlyMap<Tensor, Group>, before: ReadonlyMap<Group, readonly Group[]>): Group[] {
  const sources = group.inputs.flatMap((input) => (isPack(input) ? input.inputs.map(rootOf) : [input]));
  return [...sources.flatMap((source) => makers.get(source) ?? []), ...(before.get(group) ?? [])].filter((other) => other !== group);
}

/** Groups each after those it needs: depth first, in the order given. */
function inOrder(groups: readonly Group[], before: ReadonlyMap<Group, readonly Group[]>): Group[] {
  const makers = new Map(groups.flatMap((group) => group.outputs.map((output) => [output, group] as const)));
  const ordered = new Set<Group>();
  const visit = (group: Group): void => {
    if (ordered.has(group)) return;
    for (const needed of predecessors(group, makers, before)) visit(needed);
    ordered.add(group);
  };
  for (const group of groups) visit(group);
  return [...ordered];
}
