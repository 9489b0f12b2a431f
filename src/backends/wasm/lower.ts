/*
 * Pass 3: each group becomes one phase: a loop that was generated for it, or an anchor's kernel that calls generated
 * functions for operands that are computed and for the rest of the group, or the reference loop of an anchor without kernel.
 */
import { groupName, groupShapes, touchedBytes } from "../../compiler/describe.ts";
import { nodesOf, type Group } from "../../compiler/fuse.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { Region } from "../../compiler/regions.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { rootOf } from "../../graph/views.ts";
import type { WasmAnchorKernel, WasmArgument, WasmCall, WasmOperand } from "../../ops/wasm-kernel.ts";
import type { DispatchDescription } from "../backend.ts";
import { bytesOf } from "./bytes.ts";
import { divide, type Division } from "./division.ts";
import { chainFunction, fillFunction, type ChainFunction } from "./functions/index.ts";
import { anchorKernel, referenceKernel } from "./kernels.ts";
import type { Phase } from "./threads/pool.ts";

/**
 * What one thread does in a nanosecond, roughly: floating-point operations of products, of reductions and of softmax; of
 * loops, a byte counts as half of one (measured on an AMD EPYC, Node 20).
 */
const RATES = { product: 40, loop: 50, other: 3 };

/** Where things lie, and what generates argument blocks. */
export interface Places {
  /** The byte address of a tensor that lies in memory. */
  addressOf(tensor: Tensor): number;
  /** Puts an argument block into memory. @returns its byte address */
  argumentBlock(words: readonly WasmArgument[]): number;
  /** The table index of a generated function. */
  indexOf(generated: ChainFunction): number;
  /** The table index of a kernel that was compiled ahead of time. */
  kernelIndex(name: string): number;
  functionAt(index: number): Phase["run"];
  /** A tensor's elements; the object is of no use any more once the memory has grown. */
  valuesOf(tensor: Tensor): Float32Array | Uint32Array | Uint8Array;
}

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

const chainArguments = ({ tensors }: ChainFunction, places: Places) =>
  places.argumentBlock(tensors.map((tensor) => places.addressOf(tensor)));

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

/** A stand-in for an address that is not known yet. */
const SOMEWHERE = 64;

function anchorStep(parts: AnchorParts): Step {
  const { plan, group, anchor, finish, threads } = parts;
  const { inlined } = plan.fusion;
  const fills = anchor.inputs.map((input) =>
    inlined.has(rootOf(input)) ? fillFunction(rootOf(input), inlined) : undefined,
  );
  const generated = [...fills, finish].flatMap((made) => made ?? []);
  const callsHost = generated.some((made) => made.callsHost);
  const kernel = anchorKernel(anchor);
  const operands = fills.map((fill) =>
    fill ? { address: 0, fill: 1, fillArguments: SOMEWHERE } : { address: SOMEWHERE, fill: 0, fillArguments: 0 },
  );
  const finishes = { finish: finish ? 1 : 0, finishArguments: finish ? SOMEWHERE : 0 };
  const call = kernel?.call(anchor, operands, { address: SOMEWHERE, ...finishes });
  if (!kernel || !call) return referenceStep(parts, fills);
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
      const { kernel: name, arguments: words } = boundCall(kernel, { anchor, fills, finish }, places);
      return phase(places, places.kernelIndex(name), places.argumentBlock(words), units, division);
    },
  };
}

interface AnchorFunctions {
  readonly anchor: Tensor;
  /** What computes each input that is not in memory. */
  readonly fills: readonly (ChainFunction | undefined)[];
  readonly finish: ChainFunction | undefined;
}

function boundCall(kernel: WasmAnchorKernel, { anchor, fills, finish }: AnchorFunctions, places: Places): WasmCall {
  const operands = anchor.inputs.map((input, position): WasmOperand => {
    const fill = fills[position];
    if (!fill) return { address: places.addressOf(rootOf(input)), fill: 0, fillArguments: 0 };
    return { address: 0, fill: places.indexOf(fill), fillArguments: chainArguments(fill, places) };
  });
  return kernel.call(anchor, operands, {
    address: places.addressOf(anchor),
    finish: finish ? places.indexOf(finish) : 0,
    finishArguments: finish ? chainArguments(finish, places) : 0,
  })!;
}

/** The plain loop of an op without a kernel, on the calling thread. What it reads is computed as a whole before. */
function referenceStep({ plan, group, anchor, finish }: AnchorParts, fills: AnchorFunctions["fills"]): Step {
  const computed = anchor.inputs.flatMap((input, position) => {
    const fill = fills[position];
    return fill ? [{ fill, tensor: rootOf(input) }] : [];
  });
  const facts = describe(plan, group, { operands: anchor.inputs, flops: anchor.size });
  const compute = referenceKernel(anchor);
  return {
    description: {
      ...facts,
      kernel: facts.kernel.replace(anchor.op.name, `${anchor.op.name} (reference)`),
      grid: [1, 1, 1],
    },
    functions: [...computed.map(({ fill }) => fill), ...(finish ? [finish] : [])],
    scratchBytes: 0,
    temporaries: computed.map(({ tensor }) => tensor),
    bind(places) {
      const runs = computed.map(({ fill, tensor }) => {
        const run = places.functionAt(places.indexOf(fill));
        const args = chainArguments(fill, places);
        return () => run(args, 0, tensor.size, places.addressOf(tensor));
      });
      const inputs = anchor.inputs.map((input) => places.valuesOf(rootOf(input)));
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
