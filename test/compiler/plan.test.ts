import * as fc from "fast-check";
import { expect, test } from "vitest";
import { defineGraph, updatedLeaves, type Graph } from "../../src/graph/graph.ts";
import { isStored, parameter } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { isPack, packOffsets } from "../../src/graph/traits.ts";
import { rootOf } from "../../src/graph/views.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { loadKernels } from "../../src/backends/webgpu/kernels.ts";
import type { Dispatched } from "../../src/backends/webgpu/lower.ts";
import { mergedPlan } from "../../src/backends/webgpu/merged/dispatches.ts";
import { webgpuRules } from "../../src/backends/webgpu/rules.ts";
import { fuse, nodesOf, type Group } from "../../src/compiler/fuse.ts";
import type { BackendRules } from "../../src/compiler/backend-rules.ts";
import { plan, type Plan } from "../../src/compiler/plan.ts";
import { overlaps, wholeBuffer, type Region, type VirtualBuffer } from "../../src/compiler/regions.ts";
import { exp, square } from "../../src/ops/elementwise/index.ts";
import type { LaunchLimits } from "../../src/ops/kernel.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { softmax } from "../../src/ops/softmax/index.ts";
import { acquireGuardedBackend } from "../gpu.ts";
import { randomGraph } from "./random-graph.ts";
import { softwareLimits } from "../launch-limits.ts";

/** The rules of a backend that can fuse everything. */
const rulesOf = (mostBindings: number, oneAccessPerBuffer: boolean, recomputes: boolean): BackendRules => ({
  mostBindings,
  oneAccessPerBuffer,
  recomputes,
  atomics: recomputes,
  canFuse: () => true,
  fusesReductions: () => true,
});

const instruction = fc.record({ op: fc.nat(17), a: fc.nat(40), b: fc.nat(40) });
const graphs = fc
  .record({
    instructions: fc.array(instruction, { minLength: 1, maxLength: 30 }),
    updates: fc.array(fc.nat(40), { minLength: 5, maxLength: 5 }),
    seed: fc.nat(1000),
  })
  .map(({ instructions, updates, seed }) => randomGraph(instructions, updates, seed));

/** Places leaves as a session does: separately, and packed ones together unless earlier graphs need them elsewhere. */
function placeLeaves(graph: Graph, together: boolean): (tensor: Tensor) => Region | undefined {
  const regions = new Map<Tensor, Region>();
  for (const node of together ? graph.updates.map(({ target }) => target).filter(isPack) : []) {
    const whole = wholeBuffer("pack of leaves", node.size);
    regions.set(node, whole);
    const offsets = packOffsets(node);
    node.inputs.forEach((leaf, position) =>
      regions.set(leaf, { ...whole, offset: offsets[position]!, elements: leaf.size }),
    );
  }
  for (const leaf of graph.nodes.filter(isStored))
    if (!regions.has(leaf)) regions.set(leaf, wholeBuffer("leaf", leaf.size));
  return (tensor) => regions.get(tensor);
}

/** Replays which value is in which region, and checks that every read finds the right one. */
function checkValues(graph: Graph, planned: Plan, oneAccessPerBuffer: boolean): void {
  const current = new Map<Tensor, Region>();
  for (const [tensor, region] of planned.regions)
    if (tensor.op.kind === "leaf" && tensor.op.name !== "slice") current.set(tensor, region);
  const findable = (tensor: Tensor): Tensor[] => (isPack(tensor) ? tensor.inputs.map(rootOf) : [tensor]);
  const { atomics, replacements } = planned.fusion;
  /** The groups that have not yet run of those that make an atomic result, or what follows from it. */
  const left = new Map([...atomics, ...replacements.keys()].map((node) => [node, makersOf(node, planned.groups)]));
  for (const group of planned.groups) {
    const stored = [...group.outputs, ...group.replacements];
    const written = stored.map((output) => planned.regions.get(output)!);
    for (const input of group.inputs) {
      expect(left.get(input) ?? [], `${input} is read before it is complete`).toEqual([]);
      if (atomics.includes(input)) continue;
      const region = planned.regions.get(input)!;
      if (input.op.name === "slice") expect(isInside(region, current), `${input} is not there yet`).toBe(true);
      else if (!isPack(input))
        expect(current.get(input), `${input} is gone when ${group.outputs} is computed`).toEqual(region);
      else
        for (const member of findable(input))
          expect(isPlacedInside(member, region, current), `${member} is not in its pack`).toBe(true);
      for (const target of written) {
        const inPlace =
          target.buffer === region.buffer && target.offset === region.offset && target.elements === region.elements;
        const isApart = oneAccessPerBuffer ? target.buffer !== region.buffer : !overlaps(target, region);
        expect(isApart || inPlace, `${group.outputs} overwrites ${input} or binds its buffer both ways`).toBe(true);
      }
    }
    for (const region of written)
      for (const [tensor, other] of current) if (overlaps(region, other)) current.delete(tensor);
    stored.forEach((output, position) => current.set(output, written[position]!));
    for (const [node, makers] of left)
      left.set(
        node,
        makers.filter((maker) => maker !== group),
      );
  }
  for (const { target } of graph.updates)
    for (const leaf of updatedLeaves(target)) expect(current.has(leaf)).toBe(false);
  for (const tensor of planned.kept.values()) expect(current.get(tensor)).toEqual(planned.regions.get(tensor));
}

const makersOf = (node: Tensor, groups: readonly Group[]): Group[] =>
  groups.filter(
    ({ atomics, replacements }) => replacements.includes(node) || atomics.some(({ result }) => result === node),
  );

/** Whether a value surrounds a region. */
const isInside = ({ buffer, offset, elements }: Region, current: ReadonlyMap<Tensor, Region>): boolean =>
  [...current.values()].some(
    (other) => other.buffer === buffer && other.offset <= offset && offset + elements <= other.offset + other.elements,
  );

/** Whether a member of a pack is in it, directly or as a copy. */
function isPlacedInside(member: Tensor, region: Region, current: ReadonlyMap<Tensor, Region>): boolean {
  return [...current].some(
    ([tensor, other]) =>
      other.buffer === region.buffer && (tensor === member || tensor.inputs.map(rootOf).includes(member)),
  );
}

test("plans of random graphs keep every value until it was read, and follow the rule of one access per buffer", () => {
  fc.assert(
    fc.property(
      graphs,
      fc.integer({ min: 4, max: 12 }),
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      ({ graph }, bindings, together, oneAccess, recomputes) => {
        const rules = rulesOf(bindings, oneAccess, recomputes);
        const fusion = fuse(graph, rules);
        const planned = plan(graph, fusion, rules, placeLeaves(graph, together));
        checkValues(graph, planned, oneAccess);
        for (const group of fusion.groups) {
          const inMemory = group.inputs.filter((input) => !fusion.atomics.includes(input));
          const count = inMemory.length + group.outputs.length + group.replacements.length;
          expect(count <= bindings || nodesOf(group).length === 1).toBe(true);
        }
      },
    ),
    { numRuns: 500 },
  );
});

const limits: LaunchLimits = { ...softwareLimits, mergeKernels: true };

/** The kernels of a dispatch. */
const groupsOf = (dispatch: Dispatched): Group[] =>
  "members" in dispatch ? [dispatch] : dispatch.map(({ group }) => group);

test("merged dispatches of random graphs keep every value until it was read, and bind what a device allows", async () => {
  const x = parameter("x", [2, 2]);
  await loadKernels(defineGraph({ product: matmul(x, x) }), limits);
  let most = 0;
  fc.assert(
    fc.property(
      graphs,
      fc.integer({ min: 4, max: 12 }),
      fc.constantFrom(128, 2 ** 25),
      fc.boolean(),
      ({ graph }, mostBindings, bindingElements, together) => {
        const own = { ...limits, mostBindings, bindingElements };
        const rules = webgpuRules(own);
        const separate = plan(graph, fuse(graph, rules), rules, placeLeaves(graph, together));
        const { plan: merged, dispatched } = mergedPlan(separate, own);
        checkValues(graph, merged, false);
        const groups = dispatched.map(groupsOf);
        expect(groups.flat().every((group, position) => group === separate.groups[position])).toBe(true);
        expect(groups.flat()).toHaveLength(separate.groups.length);
        for (const kernels of groups.filter(({ length }) => length > 1)) {
          most = Math.max(most, kernels.length);
          const used = kernels.flatMap(({ inputs, outputs, replacements }) => [...inputs, ...outputs, ...replacements]);
          const types = new Map<VirtualBuffer, string>();
          for (const tensor of used.filter((one) => merged.regions.has(one))) {
            const { buffer } = merged.regions.get(tensor)!;
            expect(types.get(buffer) ?? tensor.dtype, "a buffer has one type").toBe(tensor.dtype);
            types.set(buffer, tensor.dtype);
            expect(buffer.elements).toBeLessThanOrEqual(bindingElements);
          }
          expect(types.size).toBeLessThanOrEqual(mostBindings);
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(most).toBeGreaterThan(4);
});

test("kernels share a dispatch only as far as it has the workgroup memory of their fused sums", () => {
  const rows = Array.from({ length: 6 }, (_, index) => softmax(parameter(`logits${index}`, [6, 3])));
  const outputs = rows.flatMap((row) => [row, square(row), exp(row)].map((one) => mean(one)));
  const graph = defineGraph(Object.fromEntries(outputs.map((output, index) => [`output${index}`, output])));
  const lengthsWith = (workgroupBytes: number) => {
    const own = { ...limits, mostBindings: 15, workgroupBytes };
    const rules = webgpuRules(own);
    const separate = plan(graph, fuse(graph, rules), rules, placeLeaves(graph, false));
    return mergedPlan(separate, own).dispatched.map((dispatch) => groupsOf(dispatch).length);
  };
  // Each kernel has 2 words for each of 128 threads, and as many for each of 3 sums.
  expect(lengthsWith(32_768)).toEqual([6]);
  expect(lengthsWith(16_384)).toEqual([4, 2]);
});

test("random graphs give the same results on WebGPU as on the CPU, step by step", async () => {
  const webgpu = await acquireGuardedBackend();
  await fc.assert(
    fc.asyncProperty(graphs, async ({ graph, leaves }) => {
      const [gpu, cpu] = [webgpu.createSession(), createCpuBackend().createSession()];
      const [onGpu, onCpu] = await Promise.all([gpu.compile(graph), cpu.compile(graph)]);
      const [gpuTrace, cpuTrace] = await Promise.all([onGpu.run(0, 3), onCpu.run(0, 3)]);
      for (let step = 0; step < 3; step++) expect(gpuTrace.mean![step]).toBeCloseTo(cpuTrace.mean![step]!, 4);
      for (const leaf of leaves) closeTo(await gpu.read(leaf), await cpu.read(leaf));
      for (const name of ["last", "chosen"]) closeTo(await onGpu.read(name), await onCpu.read(name));
      gpu.dispose();
    }),
    { numRuns: 25 },
  );
  webgpu.dispose();
});

function closeTo(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  for (let i = 0; i < expected.length; i++) {
    expect(
      Math.abs(actual[i]! - expected[i]!),
      `element ${i}: ${actual[i]} against ${expected[i]}`,
    ).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(expected[i]!)));
  }
}
