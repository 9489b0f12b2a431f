/*
 * Pass 3: each group becomes a step. A pointwise group is a generated loop. An anchor's kernel calls generated
 * functions for computed operands and for the rest of the group. Ops without a function run their reference loops.
 */
import { groupShapes, touchedBytes } from "../../compiler/describe.ts";
import { nodesOf, type Group } from "../../compiler/fuse.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { Region } from "../../compiler/regions.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { rootOf } from "../../graph/views.ts";
import type { WasmCall, WasmPointwiseKernel, WasmResult } from "../../ops/wasm-kernel.ts";
import { bytesOf } from "./bytes.ts";
import { divide, type Division } from "./division.ts";
import { chainFunction, type ChainFunction } from "./functions/index.ts";
import { anchorKernel, pointwiseKernel } from "./kernels.ts";
import { chainArguments, operandOf, SOMEWHERE, type Operand } from "./operands.ts";
import { isGenerated, opName, ReferenceLoops } from "./reference.ts";
import type { Part, Places, Step } from "./step.ts";
import type { Phase } from "./threads/pool.ts";

/**
 * The approximate speed of one thread in floating-point operations per nanosecond: products; reductions and softmax;
 * and loops, where a byte counts as half an operation (measured on an AMD EPYC, Node 20).
 */
const RATES = { product: 40, loop: 50, other: 3 };

/** The steps of a graph, and the regions of its tensors. */
export interface Lowered {
  readonly steps: readonly Step[];
  /** The regions of the plan, and those of anchors whose results only their own group reads. */
  readonly regions: ReadonlyMap<Tensor, Region>;
}

export function lower(plan: Plan, threads: number): Lowered {
  const regions = new Map(plan.regions);
  const steps = plan.groups.map((group) => {
    const [{ anchor, chain }] = group.members as [Group["members"][number]];
    const { inlined } = plan.fusion;
    // The chain reads the anchor's results from the memory in which it stores its own.
    if (anchor && !regions.has(anchor)) regions.set(anchor, regions.get(group.outputs[0]!)!);
    const parts = { plan, group, threads };
    if (!chain.every((node) => isGenerated(node, inlined))) return referenceStep(parts);
    const rest = chain.length > 0 ? chainFunction(group.members[0]!, group.outputs, inlined) : undefined;
    if (anchor) return kernelStep(parts, anchor, anchorKernel(anchor), rest) ?? referenceStep(parts);
    const alone = chain.length === 1 && readsStored(chain[0]!, inlined) ? pointwiseKernel(chain[0]!) : undefined;
    return (alone && kernelStep(parts, chain[0]!, alone, undefined)) ?? loopStep(parts, rest!);
  });
  return { steps, regions };
}

const readsStored = (node: Tensor, inlined: ReadonlySet<Tensor>): boolean =>
  !node.inputs.some((input) => inlined.has(rootOf(input)));

interface GroupParts {
  readonly plan: Plan;
  readonly group: Group;
  readonly threads: number;
}

function loopStep({ plan, group, threads }: GroupParts, loop: ChainFunction): Step {
  const { size } = nodesOf(group)[0]!;
  const facts = describe(plan, group, { operands: [], flops: loop.flops * size });
  const nanoseconds = Math.max((facts.flops + facts.bytes / 2) / RATES.loop, loop.nanoseconds * size);
  const division = divide({ units: size, grain: 16, nanoseconds, threads: loop.callsHost ? 1 : threads, perThread: 4 });
  return {
    description: { ...facts, grid: [division.chunks, 1, 1] },
    functions: [loop],
    scratchBytes: 0,
    temporaries: [],
    bind: (places) => [phase(places, places.indexOf(loop), chainArguments(loop, places), size, division)],
  };
}

/** @returns undefined if the kernel does not compute this node */
function kernelStep(
  { plan, group, threads }: GroupParts,
  anchor: Tensor,
  kernel: Pick<WasmPointwiseKernel, "call"> | undefined,
  finish: ChainFunction | undefined,
): Step | undefined {
  const operands = anchor.inputs.map((input) => operandOf(input, plan.fusion.inlined));
  const call = kernel && placeholderCall(kernel, anchor, operands, finish);
  if (!call) return undefined;
  const functions = [...operands.map(({ generated }) => generated), finish].filter((made) => made !== undefined);
  const flops = call.flops + (finish?.flops ?? 0) * anchor.size;
  const facts = describe(plan, group, { operands: anchor.inputs, flops });
  const { units, grain, scratchBytes } = call;
  const moving = facts.bytes / 2 / RATES.loop;
  const computing = anchor.inputs.reduce(
    (sum, { size }, position) => sum + size * (operands[position]!.generated?.nanoseconds ?? 0),
    0,
  );
  const division = divide({
    units,
    grain,
    nanoseconds: Math.max(flops / (call.isProduct ? RATES.product : RATES.other), moving) + computing,
    threads: functions.some(({ callsHost }) => callsHost) ? 1 : threads,
    perThread: 1,
  });
  const loops = operands.flatMap((operand) => operand.loops ?? []);
  return {
    description: { ...facts, grid: [division.chunks, 1, 1] },
    functions,
    scratchBytes,
    temporaries: loops.flatMap(({ temporaries }) => temporaries),
    bind(places) {
      const bound = operands.map((operand) => operand.bind(places));
      const result = { address: places.addressOf(anchor), ...boundFinish(finish, places) };
      const { kernel: name, arguments: words } = kernel.call!(anchor, bound, result)!;
      const own = phase(places, places.kernelIndex(name), places.argumentBlock(words), units, division);
      return [...loops.map((loop) => loop.bind(places)), own];
    },
  };
}

/** The call before addresses are known. Only the addresses in its arguments will differ. */
function placeholderCall(
  kernel: Pick<WasmPointwiseKernel, "call">,
  anchor: Tensor,
  operands: readonly Operand[],
  finish: ChainFunction | undefined,
): WasmCall | undefined {
  const rest = finish ? { finish: 1, finishArguments: SOMEWHERE } : { finish: 0, finishArguments: 0 };
  const placed = operands.map(({ placeholder }) => placeholder);
  return kernel.call?.(anchor, placed, { address: SOMEWHERE, ...rest });
}

function boundFinish(finish: ChainFunction | undefined, places: Places): Omit<WasmResult, "address"> {
  if (!finish) return { finish: 0, finishArguments: 0 };
  return { finish: places.indexOf(finish), finishArguments: chainArguments(finish, places) };
}

/** All nodes of a group by their reference loops. Outputs are copied at the end, since they may overwrite inputs. */
function referenceStep({ plan, group }: GroupParts): Step {
  const nodes = nodesOf(group);
  const loops = new ReferenceLoops(nodes, plan.fusion.inlined);
  const operands = group.members.flatMap(({ anchor }) => anchor?.inputs ?? []);
  const facts = describe(plan, group, { operands, flops: nodes.reduce((sum, { size }) => sum + size, 0) });
  return {
    description: { ...facts, kernel: nodes.map((node) => `${node.op.name} (reference)`).join(" + "), grid: [1, 1, 1] },
    functions: [],
    scratchBytes: 0,
    temporaries: loops.temporaries,
    bind: (places) => [loops.bind(places), copyAll(group.outputs, loops, places)],
  };
}

function copyAll(outputs: readonly Tensor[], loops: ReferenceLoops, places: Places): Part {
  const copies = outputs.map((output) => ({
    from: places.valuesOf(loops.temporaryOf(output)),
    to: places.valuesOf(output),
  }));
  return () => {
    for (const { from, to } of copies) to.set(from);
  };
}

function phase(places: Places, index: number, args: number, units: number, division: Division): Phase {
  return { run: places.functionAt(index), index, args, units, ...division };
}

function describe(plan: Plan, group: Group, { operands, flops }: { operands: readonly Tensor[]; flops: number }) {
  const { inlined } = plan.fusion;
  const touched = [...new Set([...group.inputs, ...group.outputs])];
  const bytes = touched.map((tensor) => touchedBytes(group, tensor, inlined, bytesOf(tensor)));
  return {
    kernel: nodesOf(group).map(opName).join(" + "),
    shapes: groupShapes(group, operands),
    flops,
    bytes: bytes.reduce((sum, more) => sum + more, 0),
  };
}
