/*
 * Pass 3: each group becomes one phase: a loop that was generated for it, or an anchor's kernel that calls generated
 * functions for operands that are computed and for the rest of the group, or the reference loop of an anchor without kernel.
 */
import { groupName, groupShapes, touchedBytes } from "../../compiler/describe.ts";
import { nodesOf, type Group } from "../../compiler/fuse.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { Region } from "../../compiler/regions.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { WasmCall } from "../../ops/wasm-kernel.ts";
import type { DispatchDescription } from "../backend.ts";
import { bytesOf } from "./bytes.ts";
import { divide, type Division } from "./division.ts";
import { chainFunction, type ChainFunction } from "./functions/index.ts";
import { anchorKernel, referenceKernel } from "./kernels.ts";
import { operandOf, type Operand } from "./operands.ts";
import { chainArguments, unplaced, type Places } from "./places.ts";
import type { Phase } from "./threads/pool.ts";

/**
 * What one thread does in a nanosecond, roughly: floating-point operations of products, of reductions and of softmax; of
 * loops, a byte counts as half of one (measured on an AMD EPYC, Node 20).
 */
const RATES = { product: 40, loop: 50, other: 3 };

/** What one group runs. */
export interface Step {
  readonly description: DispatchDescription;
  /** Generated functions that it needs. */
  readonly functions: readonly ChainFunction[];
  /** Bytes of scratch memory for each thread. */
  readonly scratchBytes: number;
  /** Tensors that it needs memory for, besides those of the plan. */
  readonly temporaries: readonly Tensor[];
  /** Fixes the addresses. @returns the phase, or what the calling thread does by itself */
  bind(places: Places): Phase | (() => void);
}

/** What a graph runs, and where its tensors lie. */
export interface Lowered {
  readonly steps: readonly Step[];
  /** The regions of the plan, and those of anchors whose results no one reads but their own group. */
  readonly regions: ReadonlyMap<Tensor, Region>;
}

export function lower(plan: Plan, threads: number): Lowered {
  const regions = new Map(plan.regions);
  const steps = plan.groups.map((group) => {
    const [{ anchor, chain }] = group.members as [Group["members"][number]];
    if (!anchor) return loopStep(plan, group, threads);
    // The chain reads the anchor's results where it then puts its own.
    if (!regions.has(anchor)) regions.set(anchor, regions.get(group.outputs[0]!)!);
    const finish = chain.length > 0 ? chainFunction(group.members[0]!, group.outputs, plan.fusion.inlined) : undefined;
    return anchorStep({ plan, group, anchor, finish, threads });
  });
  return { steps, regions };
}

function loopStep(plan: Plan, group: Group, threads: number): Step {
  const loop = chainFunction(group.members[0]!, group.outputs, plan.fusion.inlined);
  const { size } = nodesOf(group)[0]!;
  const facts = describe(plan, group, { operands: [], flops: loop.flops * size });
  const nanoseconds = (facts.flops + facts.bytes / 2) / RATES.loop;
  const division = divide({ units: size, grain: 16, nanoseconds, threads: loop.callsHost ? 1 : threads, perThread: 4 });
  return {
    description: { ...facts, grid: [division.chunks, 1, 1] },
    functions: [loop],
    scratchBytes: 0,
    temporaries: [],
    bind: (places) => phase(places, places.indexOf(loop), chainArguments(loop, places), size, division),
  };
}

interface AnchorParts {
  readonly plan: Plan;
  readonly group: Group;
  readonly anchor: Tensor;
  /** Computes the rest of the group. */
  readonly finish: ChainFunction | undefined;
  readonly threads: number;
}

function anchorStep(parts: AnchorParts): Step {
  const { plan, group, anchor, finish, threads } = parts;
  const operands = anchor.inputs.map((input) => operandOf(input, plan.fusion.inlined));
  const generated = [...operands.map((operand) => operand.generated), finish].flatMap((made) => made ?? []);
  const callsHost = generated.some((made) => made.callsHost);
  const bindCall = (places: Places) => boundCall({ anchor, operands, finish }, places);
  const call = bindCall(unplaced);
  if (!call) return referenceStep(parts, operands);
  const flops = call.flops + (finish?.flops ?? 0) * anchor.size;
  const facts = describe(plan, group, { operands: anchor.inputs, flops });
  const { units, grain, scratchBytes } = call;
  const nanoseconds = flops / (call.kernel === "matmul" ? RATES.product : RATES.other);
  const division = divide({ units, grain, nanoseconds, threads: callsHost ? 1 : threads, perThread: 1 });
  return {
    description: { ...facts, grid: [division.chunks, 1, 1] },
    functions: generated,
    scratchBytes,
    temporaries: [],
    bind(places) {
      const { kernel: name, arguments: words } = bindCall(places)!;
      return phase(places, places.kernelIndex(name), places.argumentBlock(words), units, division);
    },
  };
}

interface AnchorFunctions {
  readonly anchor: Tensor;
  readonly operands: readonly Operand[];
  readonly finish: ChainFunction | undefined;
}

/** @returns undefined where the anchor runs its reference loop */
function boundCall({ anchor, operands, finish }: AnchorFunctions, places: Places): WasmCall | undefined {
  return anchorKernel(anchor)?.call(
    anchor,
    operands.map((operand) => operand.bind(places)),
    {
      address: places.addressOf(anchor),
      finish: finish ? places.indexOf(finish) : 0,
      finishArguments: finish ? chainArguments(finish, places) : 0,
    },
  );
}

/** The plain loop of an op without a kernel, on the calling thread. What it reads is computed as a whole before. */
function referenceStep({ plan, group, anchor, finish }: AnchorParts, operands: readonly Operand[]): Step {
  const computed = operands.filter(({ isComputed }) => isComputed);
  const facts = describe(plan, group, { operands: anchor.inputs, flops: anchor.size });
  const compute = referenceKernel(anchor);
  return {
    description: {
      ...facts,
      kernel: facts.kernel.replace(anchor.op.name, `${anchor.op.name} (reference)`),
      grid: [1, 1, 1],
    },
    functions: [...computed.map(({ generated }) => generated), finish].flatMap((made) => made ?? []),
    scratchBytes: 0,
    temporaries: computed.map(({ tensor }) => tensor),
    bind(places) {
      const runs = computed.map((operand) => {
        const { fill, fillArguments } = operand.bind(places);
        const run = places.functionAt(fill);
        return () => run(fillArguments, 0, operand.tensor.size, places.addressOf(operand.tensor));
      });
      const inputs = operands.map(({ tensor }) => places.valuesOf(tensor));
      const output = places.valuesOf(anchor);
      const rest = finish && places.functionAt(places.indexOf(finish));
      const args = finish ? chainArguments(finish, places) : 0;
      return () => {
        for (const run of runs) run();
        compute(anchor, inputs, output);
        rest?.(args, 0, anchor.size, 0);
      };
    },
  };
}

function phase(places: Places, index: number, args: number, units: number, division: Division): Phase {
  return { run: places.functionAt(index), index, args, units, ...division };
}

function describe(plan: Plan, group: Group, { operands, flops }: { operands: readonly Tensor[]; flops: number }) {
  const touched = [...new Set([...group.inputs, ...group.outputs])];
  const bytes = touched.map((tensor) => touchedBytes(group, tensor, plan.fusion.inlined, bytesOf(tensor)));
  return {
    kernel: groupName(group),
    shapes: groupShapes(group, operands),
    flops,
    bytes: bytes.reduce((sum, more) => sum + more, 0),
  };
}
