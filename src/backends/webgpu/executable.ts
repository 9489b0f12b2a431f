/*
 * Running a step only sets existing pipelines and bind groups, and dispatches them. Many steps share one compute pass:
 * within a pass, each dispatch sees the writes of earlier ones.
 */
import type { Device } from "../../device/device.ts";
import type { Pipeline } from "../../device/pipelines.ts";
import { PassTimer } from "../../device/timing.ts";
import { DeviceError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { constantOp, type ConstantAttributes } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { DispatchDescription, Executable, NumericArray } from "../backend.ts";
import { isLiteral } from "../../compiler/nodes.ts";
import type { ArgumentBuffer } from "./arguments.ts";
import type { Binding, Launch } from "./launch.ts";
import type { Plan } from "../../compiler/plan.ts";
import { bytesOf, type Region } from "../../compiler/regions.ts";
import type { OwnBuffers } from "./own-buffers.ts";
import type { ScalarRing } from "./scalars.ts";
import type { StoredLeaves } from "../../compiler/stored-leaves.ts";
import { tracedTensors } from "./trace.ts";

/**
 * The maximum number of steps per submit: the number of rows of the trace, and of slots in the ring of per-step
 * scalars.
 */
export const STEPS_PER_SUBMIT = 256;

type Grid = readonly [number, number, number];

interface Recorded {
  readonly kernel: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: readonly Binding[];
  /** The binding that follows the others, if the kernel has arguments. */
  readonly arguments: GPUBufferBinding | undefined;
  bindGroup: GPUBindGroup;
  readonly grid: Grid;
}

/** The parts of an executable. */
export interface ExecutableParts {
  readonly device: Device;
  readonly plan: Plan;
  /** The words of the steps of a submit; see `tracedTensors`. */
  readonly trace: Region;
  readonly launches: readonly Launch[];
  /** One per launch. */
  readonly pipelines: readonly Pipeline[];
  readonly ring: ScalarRing;
  readonly arguments: ArgumentBuffer;
  readonly leaves: StoredLeaves<GPUBuffer>;
  readonly buffers: OwnBuffers;
}

/** Replays the launches of a graph's step. */
export class WebGPUExecutable implements Executable {
  readonly dispatches: readonly DispatchDescription[];
  readonly bytes: number;
  /** The buffers of this executable, without those of leaves. */
  readonly buffers: OwnBuffers;
  /** Called when the steps of a submit have finished, with the milliseconds since it. */
  onFinished: ((steps: number, milliseconds: number) => void) | undefined;
  readonly #device: Device;
  readonly #plan: Plan;
  readonly #trace: Region;
  readonly #traced: readonly Tensor[];
  readonly #ring: ScalarRing;
  readonly #arguments: ArgumentBuffer;
  readonly #leaves: StoredLeaves<GPUBuffer>;
  readonly #recorded: readonly Recorded[];
  /** The value of `moves` when the leaves were bound. */
  #boundAt: number;

  constructor(graph: Graph, parts: ExecutableParts) {
    const { device, plan, trace, launches, pipelines, ring, leaves, buffers } = parts;
    this.dispatches = launches.map(({ kernel, shapes, grid, flops, bytes }) => ({
      kernel,
      shapes,
      grid,
      flops,
      bytes,
    }));
    this.bytes = bytesOf([...plan.regions.values(), trace], (buffer) => leaves.placeOf(buffer) !== undefined);
    this.buffers = buffers;
    this.#device = device;
    this.#plan = plan;
    this.#trace = trace;
    this.#traced = tracedTensors(plan);
    this.#ring = ring;
    this.#arguments = parts.arguments;
    this.#leaves = leaves;
    this.#boundAt = leaves.moves;
    this.#recorded = launches.map(({ kernel, bindings, grid }, position) => {
      const { pipeline, layout } = pipelines[position]!;
      const bound = { kernel, layout, bindings, arguments: parts.arguments.of(position) };
      return { ...bound, pipeline, grid, bindGroup: this.#bindGroup(bound) };
    });
    for (const node of graph.nodes) if (node.op === constantOp && !isLiteral(node)) this.#writeConstant(node);
    if (this.#traced.length > 0) device.staging.reserve(4 * trace.elements, 3);
  }

  async run(first: number, count: number): Promise<Record<string, NumericArray>> {
    const reported = this.#prepare();
    const rows: Promise<ArrayBuffer>[] = [];
    for (let done = 0; done < count; done += STEPS_PER_SUBMIT) {
      rows.push(this.#timedSubmit(first + done, Math.min(STEPS_PER_SUBMIT, count - done)));
    }
    const parts = await Promise.all(rows);
    await this.#requireSound(reported);
    return Object.fromEntries(this.#plan.traces.map(({ name, tensor }) => [name, this.#column(tensor, parts)]));
  }

  /** The values of a scalar output in all steps. */
  #column(tensor: Tensor, parts: readonly ArrayBuffer[]): NumericArray {
    const type = tensor.dtype === "float32" ? Float32Array : Uint32Array;
    const words = this.#traced.length;
    const column = this.#traced.indexOf(tensor);
    const values = parts.flatMap((part) => Array.from(new type(part)).filter((_, word) => word % words === column));
    return type.from(values);
  }

  /** @param most reads only this number of elements, at the end of the output */
  async read(output: string, most = Infinity): Promise<NumericArray> {
    const tensor = this.#plan.kept.get(output)!;
    const { buffer, offset, elements } = this.#plan.regions.get(tensor)!;
    const count = Math.min(most, elements);
    const bytes = await this.#device.read(this.buffers.get(buffer), 4 * (offset + elements - count), 4 * count);
    return tensor.dtype === "float32" ? new Float32Array(bytes) : new Uint32Array(bytes);
  }

  /**
   * Runs one step with one pass per dispatch, which is slower than usual, and measures each.
   * @returns nanoseconds by the GPU's clock, in the order of `dispatches`
   * @throws DeviceError if the device has no timestamps
   */
  profile(step: number): Promise<number[]> {
    return this.#timed(
      step,
      this.#recorded.map((dispatch) => [dispatch]),
    );
  }

  /**
   * Runs step 0 several times in one pass.
   * @returns the milliseconds of the pass by the GPU's clock
   * @throws DeviceError if the device has no timestamps
   */
  async time(steps: number): Promise<number> {
    const [nanoseconds] = await this.#timed(0, [Array.from({ length: steps }, () => this.#recorded).flat()]);
    return nanoseconds! / 1e6;
  }

  dispose(): void {
    this.#device.submitReads();
    this.buffers.dispose();
    this.#ring.dispose();
    this.#arguments.dispose();
  }

  /**
   * Called before steps: throws if the device is lost, and binds leaves that have moved to another buffer.
   * @returns the number of errors that the device has reported so far
   */
  #prepare(): number {
    this.#device.requireLive();
    const { moves } = this.#leaves;
    if (moves !== this.#boundAt) {
      for (const dispatch of this.#recorded) dispatch.bindGroup = this.#bindGroup(dispatch);
      this.#boundAt = moves;
    }
    return this.#device.faults.count;
  }

  /** Runs passes with the scalars of a step. @returns the nanoseconds of each */
  async #timed(step: number, passes: readonly (readonly Recorded[])[]): Promise<number[]> {
    const reported = this.#prepare();
    const timer = new PassTimer(this.#device, passes.length);
    try {
      this.#ring.write(step, 1);
      const encoder = this.#device.gpu.createCommandEncoder();
      this.#clearAtomics(encoder, 1);
      passes.forEach((dispatches, position) => {
        const pass = encoder.beginComputePass({ timestampWrites: timer.writes(position) });
        this.#encode(pass, 0, dispatches);
        pass.end();
      });
      const times = await timer.submit(encoder);
      await this.#requireSound(reported);
      return times;
    } finally {
      timer.dispose();
    }
  }

  /** Sets the atomic results of some steps to 0, from which kernels raise them. */
  #clearAtomics(encoder: GPUCommandEncoder, steps: number): void {
    if (this.#plan.fusion.atomics.length === 0) return;
    encoder.clearBuffer(this.buffers.get(this.#trace.buffer), 0, 4 * this.#traced.length * steps);
  }

  async #timedSubmit(first: number, count: number): Promise<ArrayBuffer> {
    const submitted = performance.now();
    const row = await this.#submit(first, count);
    this.onFinished?.(count, performance.now() - submitted);
    return row;
  }

  async #submit(first: number, count: number): Promise<ArrayBuffer> {
    const { gpu, staging } = this.#device;
    this.buffers.beforeSubmit();
    this.#ring.write(first, count);
    const encoder = gpu.createCommandEncoder();
    this.#clearAtomics(encoder, count);
    const pass = encoder.beginComputePass();
    for (let slot = 0; slot < count; slot++) this.#encode(pass, slot, this.#recorded);
    pass.end();
    if (this.#plan.traces.length === 0) {
      this.#device.submit(encoder);
      await gpu.queue.onSubmittedWorkDone();
      this.#device.requireLive();
      return new ArrayBuffer(0);
    }
    const copy = staging.copy(encoder, this.buffers.get(this.#trace.buffer), 0, 4 * this.#traced.length * count);
    this.#device.submit(encoder);
    return this.#device.arrived(copy);
  }

  /**
   * If the device has reported errors during steps, finds out whether they are of this executable: others may have run at
   * the same time. It encodes each dispatch again, and submits all of them without workgroups, so that nothing is computed.
   * @param reported the number of errors before the steps
   * @throws DeviceError if an error is of this executable; it names the kernel if it is of one
   */
  async #requireSound(reported: number): Promise<void> {
    const { faults } = this.#device;
    if (faults.count === reported) return;
    for (const dispatch of this.#recorded) {
      const error = await this.#device.errorOf(() => this.#commands([dispatch]).finish());
      if (error)
        throw new DeviceError(
          { where: `kernel ${dispatch.kernel}`, what: error.what, fix: error.fix! },
          { cause: error },
        );
    }
    const idle = this.#recorded.map((dispatch) => ({ ...dispatch, grid: [0, 0, 0] as const }));
    const error = await this.#device.errorOf(() => this.#device.submit(this.#commands(idle)));
    if (error) throw error;
  }

  #commands(dispatches: readonly Recorded[]): GPUCommandEncoder {
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.#encode(pass, 0, dispatches);
    pass.end();
    return encoder;
  }

  #encode(pass: GPUComputePassEncoder, slot: number, dispatches: readonly Recorded[]): void {
    pass.setBindGroup(1, this.#ring.bindGroup, [slot * this.#ring.stride]);
    for (const { pipeline, bindGroup, grid } of dispatches) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    }
  }

  #bindGroup(bound: Pick<Recorded, "bindings" | "arguments" | "kernel" | "layout">): GPUBindGroup {
    const { bindings, kernel, layout } = bound;
    const resources = bindings.map((binding) => this.#resource(binding));
    if (bound.arguments) resources.push(bound.arguments);
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    return this.#device.gpu.createBindGroup({ layout, entries, label: kernel });
  }

  #resource({ region, access }: Binding): GPUBufferBinding {
    const leaf = this.#leaves.placeOf(region.buffer);
    if (!leaf) return this.buffers.bind(region, access);
    return { buffer: leaf.buffer, offset: 4 * (leaf.offset + region.offset), size: 4 * region.elements };
  }

  #writeConstant(node: Tensor): void {
    const { values } = node.attributes as ConstantAttributes;
    const words = node.dtype === "float32" ? Float32Array.from(values) : Uint32Array.from(values);
    const region = this.#plan.regions.get(node)!;
    this.#device.gpu.queue.writeBuffer(this.buffers.get(region.buffer), 4 * region.offset, words);
  }
}
