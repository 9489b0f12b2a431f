/*
 * Compiles a graph for a device: the compiler's passes (fuse, plan), then WGSL for each group, then pipelines, buffers
 * and bind groups, which are all created once.
 */
import type { DispatchDescription } from "../backend.ts";
import { ArgumentBuffer } from "./arguments.ts";
import { fuse } from "../../compiler/fuse.ts";
import { isStepScalar } from "../../compiler/nodes.ts";
import { plan } from "../../compiler/plan.ts";
import { wholeBuffer } from "../../compiler/regions.ts";
import type { Device } from "../../device/device.ts";
import type { Pipeline } from "../../device/pipelines.ts";
import type { Graph } from "../../graph/graph.ts";
import type { LaunchLimits } from "../../ops/kernel.ts";
import { STEPS_PER_SUBMIT, WebGPUExecutable } from "./executable.ts";
import { loadKernels } from "./kernels.ts";
import type { Launch } from "./launch.ts";
import { lower } from "./lower.ts";
import type * as merged from "./merged/index.ts";
import { OwnBuffers } from "./own-buffers.ts";
import { launchLimitsOf, webgpuRules } from "./rules.ts";
import { ScalarRing } from "./scalars.ts";
import type { StoredLeaves } from "../../compiler/stored-leaves.ts";
import { tracedTensors } from "./trace.ts";

/** What compiling a session's graphs needs. */
export interface CompileOptions {
  readonly choiceOf?: LaunchLimits["choiceOf"];
  /** Whether small kernels share a dispatch; on hardware adapters by default. */
  readonly mergeKernels?: boolean | undefined;
  /** Creates the buffers of an executable; tests of kernels pass guarded ones. */
  readonly makeBuffers?: ((device: Device) => OwnBuffers) | undefined;
  /** Called with each graph that was compiled and its dispatches. @returns what to call when steps of a submit have finished */
  readonly watch?:
    | ((graph: Graph, dispatches: readonly DispatchDescription[]) => WebGPUExecutable["onFinished"])
    | undefined;
  /** Runs a part of compiling that JavaScript waits for, so that the tuner in the background can count its time. */
  readonly counted?: (<Value>(work: () => Value) => Value) | undefined;
}

/**
 * Creates everything needed to replay the step of a graph.
 * @throws DeviceError if the device cannot run it; everything created so far is then freed
 */
export async function compile(
  device: Device,
  graph: Graph,
  leaves: StoredLeaves<GPUBuffer>,
  options: CompileOptions,
): Promise<WebGPUExecutable> {
  const { choiceOf, mergeKernels } = options;
  const limits: LaunchLimits = { ...launchLimitsOf(device, mergeKernels), choiceOf };
  await loadKernels(graph, limits);
  const merging = limits.mergeKernels ? await import("./merged/index.ts") : undefined;
  const counted = options.counted ?? ((work) => work());
  const { planned, dispatched, trace, scalars } = counted(() => plannedFor(graph, leaves, limits, merging));
  const launches: Launch[] = [];
  const compiling: Promise<Pipeline>[] = [];
  const writing = lower(planned, { scalars, trace, limits }, dispatched, merging?.mergedLaunch);
  for (let next = counted(() => writing.next()); !next.done; next = counted(() => writing.next())) {
    const launch = next.value;
    if (launch.float16) device.requireFloat16();
    launches.push(launch);
    compiling.push(counted(() => pipelineOf(device, launch)));
  }
  const pipelines = await Promise.all(compiling);
  const buffers = options.makeBuffers?.(device) ?? new OwnBuffers(device);
  let ring: ScalarRing | undefined;
  let argumentBuffer: ArgumentBuffer | undefined;
  let made: WebGPUExecutable | undefined;
  try {
    await device.allocate(() => {
      ring = new ScalarRing(device, scalars, STEPS_PER_SUBMIT);
      argumentBuffer = new ArgumentBuffer(
        device,
        launches.map((launch) => launch.arguments),
      );
      const parts = {
        device,
        plan: planned,
        trace,
        launches,
        pipelines,
        ring,
        arguments: argumentBuffer,
        leaves,
        buffers,
      };
      made = new WebGPUExecutable(graph, parts);
    });
    made!.onFinished = options.watch?.(graph, made!.dispatches);
    return made!;
  } catch (error) {
    ring?.dispose();
    argumentBuffer?.dispose();
    buffers.dispose();
    throw error;
  }
}

/**
 * The plan of a graph, and what its kernels share.
 * @param merging loaded where small kernels share a dispatch
 */
function plannedFor(
  graph: Graph,
  leaves: StoredLeaves<GPUBuffer>,
  limits: LaunchLimits,
  merging: typeof merged | undefined,
) {
  const rules = webgpuRules(limits);
  const separate = plan(graph, fuse(graph, rules), rules, (tensor) => leaves.regionOf(tensor));
  const { plan: planned, dispatched } = merging?.mergedPlan(separate, limits) ?? {
    plan: separate,
    dispatched: separate.groups,
  };
  const trace = wholeBuffer("trace", STEPS_PER_SUBMIT * tracedTensors(planned).length);
  return { planned, dispatched, trace, scalars: graph.nodes.filter(isStepScalar) };
}

/** The pipeline of a launch, which the driver compiles while other launches are being written. */
function pipelineOf(device: Device, { code, bindings, arguments: { length }, kernel }: Launch): Promise<Pipeline> {
  const kinds = [...bindings.map(({ access }) => access), ...(length > 0 ? (["uniform"] as const) : [])];
  const pipeline = device.pipelines.get(code, kinds, kernel);
  // The error is thrown where all pipelines are awaited, unless writing a later launch fails first.
  pipeline.catch(() => {});
  return pipeline;
}
