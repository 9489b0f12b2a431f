/*
 * Pass 4: pipelines and bind groups are made once; running a step only sets and dispatches them. Many steps go into
 * one compute pass: within a pass each dispatch sees what those before it wrote.
 */
import type { Device } from "../../device/device.ts";
import type { Pipeline } from "../../device/pipelines.ts";
import { PassTimer } from "../../device/timing.ts";
import { DeviceError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { constantOp, type ConstantAttributes } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { LaunchLimits } from "../../ops/kernel.ts";
import type { DispatchDescription, Executable, NumericArray } from "../backend.ts";
import { fuse } from "../../compiler/fuse.ts";
import { isLiteral, isStepScalar } from "../../compiler/nodes.ts";
import type { Binding, Launch } from "./launch.ts";
import { lower } from "./lower.ts";
import { plan, type Plan } from "../../compiler/plan.ts";
import { wholeBuffer, type Region, type VirtualBuffer } from "../../compiler/regions.ts";
import { launchLimitsOf, webgpuRules } from "./rules.ts";
import { ScalarRing } from "./scalars.ts";
import type { BufferPlace, StoredLeaves } from "./stored-leaves.ts";

/** The most steps that go into one submit: rows of the trace, slots of the ring of per-step scalars. */
const STEPS_PER_SUBMIT = 256;

/** Elements after each buffer that a kernel must not touch, where guards are asked for. */
const GUARD_ELEMENTS = 64;

/** A NaN that no computation produces. */
const POISON = 0x7fc0dead;

export interface RecordOptions {
  readonly leaves: StoredLeaves;
  readonly choiceOf: LaunchLimits["choiceOf"];
  /** Poison results before every run and check the words after each buffer, for tests. */
  readonly guards: boolean;
}

/** A plan, and where the scalar outputs of the steps of a submit lie, a row for each. */
type TracedPlan = Plan & { readonly trace: Region };

type Grid = readonly [number, number, number];

interface Recorded {
  readonly kernel: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: readonly Binding[];
  bindGroup: GPUBindGroup;
  readonly grid: Grid;
}

/** Makes everything that replaying a graph's step needs. */
export async function record(device: Device, graph: Graph, options: RecordOptions): Promise<WebGPUExecutable> {
  const launchLimits: LaunchLimits = { ...launchLimitsOf(device), choiceOf: options.choiceOf };
  const rules = webgpuRules(device.limits.maxStorageBuffersPerShaderStage, launchLimits);
  const planned = plan(graph, fuse(graph, rules), rules, (tensor) => options.leaves.regionOf(tensor));
  const trace = wholeBuffer("trace", STEPS_PER_SUBMIT * planned.traces.length);
  const scalars = graph.nodes.filter(isStepScalar);
  const launches = lower(planned, { scalars, trace, limits: launchLimits });
  if (launches.some(({ float16 }) => float16)) device.requireFloat16();
  const pipelines = await Promise.all(
    launches.map(({ code, bindings, kernel }) => device.pipelines.get(code, bindings.map(({ access }) => access), kernel)),
  );
  let made: WebGPUExecutable | undefined;
  try {
    await device.allocate(() => {
      made = new WebGPUExecutable(device, graph, { ...planned, trace }, launches, pipelines, new ScalarRing(device, scalars, STEPS_PER_SUBMIT), options);
    });
    return made!;
  } catch (error) {
    made?.dispose();
    throw error;
  }
}

export class WebGPUExecutable implements Executable {
  readonly dispatches: readonly DispatchDescription[];
  readonly #device: Device;
  readonly #plan: TracedPlan;
  readonly #ring: ScalarRing;
  readonly #options: RecordOptions;
  readonly #buffers = new Map<VirtualBuffer, GPUBuffer>();
  readonly #recorded: readonly Recorded[];
  readonly #written = new Set<VirtualBuffer>();
  /** How often leaves had moved when they were bound. */
  #boundAt: number;

  constructor(
    device: Device,
    graph: Graph,
    planned: TracedPlan,
    launches: readonly Launch[],
    pipelines: readonly Pipeline[],
    ring: ScalarRing,
    options: RecordOptions,
  ) {
    this.dispatches = launches.map(({ kernel, shapes, grid, flops, bytes }) => ({ kernel, shapes, grid, flops, bytes }));
    this.#device = device;
    this.#plan = planned;
    this.#ring = ring;
    this.#options = options;
    this.#boundAt = options.leaves.moves;
    this.#recorded = launches.map(({ kernel, bindings, grid }, position) => {
      const { pipeline, layout } = pipelines[position]!;
      return { kernel, pipeline, layout, bindings, bindGroup: this.#bindGroup({ kernel, layout, bindings }), grid };
    });
    for (const node of graph.nodes) if (node.op === constantOp && !isLiteral(node)) this.#writeConstant(node);
    if (planned.traces.length > 0) device.staging.reserve(4 * planned.trace.elements, 3);
  }

  async run(first: number, count: number): Promise<Record<string, NumericArray>> {
    const reported = this.#prepare();
    const rows: Promise<Float32Array>[] = [];
    for (let done = 0; done < count; done += STEPS_PER_SUBMIT) {
      rows.push(this.#submit(first + done, Math.min(STEPS_PER_SUBMIT, count - done)));
    }
    const parts = await Promise.all(rows);
    await this.#requireSound(reported);
    const { traces } = this.#plan;
    return Object.fromEntries(
      traces.map(({ name }, column) => {
        const values = parts.flatMap((part) => Array.from({ length: part.length / traces.length }, (_, row) => part[row * traces.length + column]!));
        return [name, Float32Array.from(values)];
      }),
    );
  }

  async read(output: string): Promise<NumericArray> {
    const tensor = this.#plan.kept.get(output)!;
    const { buffer, offset, elements } = this.#plan.regions.get(tensor)!;
    const bytes = await this.#device.read(this.#real(buffer), 4 * offset, 4 * elements);
    return tensor.dtype === "float32" ? new Float32Array(bytes) : new Uint32Array(bytes);
  }

  /**
   * Runs one step with a pass for each dispatch, which is slower than a step is in a run, and measures each.
   * @returns nanoseconds on the GPU's clock, in the order of `dispatches`
   * @throws DeviceError where the device has no timestamps
   */
  async profile(step: number): Promise<number[]> {
    const reported = this.#prepare();
    const timer = new PassTimer(this.#device, this.#recorded.length);
    try {
      this.#ring.write(step, 1);
      const encoder = this.#device.gpu.createCommandEncoder();
      this.#recorded.forEach((dispatch, position) => {
        const pass = encoder.beginComputePass({ timestampWrites: timer.writes(position) });
        this.#encode(pass, 0, [dispatch]);
        pass.end();
      });
      const times = await timer.submit(encoder);
      await this.#requireSound(reported);
      return times;
    } finally {
      timer.dispose();
    }
  }

  dispose(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
    this.#ring.dispose();
  }

  /**
   * The labels of buffers in which a kernel wrote past the end of a value; known only with guards.
   * @returns empty where all is well
   */
  async spoiledGuards(): Promise<string[]> {
    const spoiled: string[] = [];
    if (!this.#options.guards) return spoiled;
    for (const buffer of this.#written) {
      const guard = new Uint32Array(await this.#device.read(this.#real(buffer), 4 * buffer.elements, 4 * GUARD_ELEMENTS));
      if (guard.some((word) => word !== POISON)) spoiled.push(buffer.label);
    }
    return spoiled;
  }

  /**
   * Before steps: refuses them where the device is gone, and binds leaves that have moved at their new places.
   * @returns how many errors the device has reported so far
   */
  #prepare(): number {
    this.#device.requireLive();
    const { moves } = this.#options.leaves;
    if (moves !== this.#boundAt) {
      for (const dispatch of this.#recorded) dispatch.bindGroup = this.#bindGroup(dispatch);
      this.#boundAt = moves;
    }
    return this.#device.faults.count;
  }

  async #submit(first: number, count: number): Promise<Float32Array> {
    const { gpu, staging } = this.#device;
    if (this.#options.guards) this.#poison();
    this.#ring.write(first, count);
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let slot = 0; slot < count; slot++) this.#encode(pass, slot, this.#recorded);
    pass.end();
    const { traces, trace } = this.#plan;
    if (traces.length === 0) {
      gpu.queue.submit([encoder.finish()]);
      await gpu.queue.onSubmittedWorkDone();
      this.#device.requireLive();
      return new Float32Array(0);
    }
    const copy = staging.copy(encoder, this.#real(trace.buffer), 0, 4 * traces.length * count);
    gpu.queue.submit([encoder.finish()]);
    return new Float32Array(await this.#device.arrived(copy));
  }

  /**
   * Where the device has reported an error since, finds out whether this executable's steps were refused: others may have
   * run at the same time. Nothing is computed meanwhile.
   * @throws DeviceError that names the kernel, where it is one
   */
  async #requireSound(reported: number): Promise<void> {
    const { faults, gpu } = this.#device;
    if (faults.count === reported) return;
    for (const dispatch of this.#recorded) {
      const error = await this.#device.errorOf(() => this.#commands([dispatch]).finish());
      if (error) throw new DeviceError({ where: `kernel ${dispatch.kernel}`, what: error.what, fix: error.fix! }, { cause: error });
    }
    const idle = this.#recorded.map((dispatch) => ({ ...dispatch, grid: [0, 0, 0] as const }));
    const error = await this.#device.errorOf(() => gpu.queue.submit([this.#commands(idle).finish()]));
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

  #bindGroup({ bindings, kernel, layout }: Pick<Recorded, "bindings" | "kernel" | "layout">): GPUBindGroup {
    const entries = bindings.map((binding, position) => ({ binding: position, resource: this.#resource(binding) }));
    return this.#device.gpu.createBindGroup({ layout, entries, label: kernel });
  }

  #resource({ region, access }: Binding): GPUBufferBinding {
    const { buffer, offset } = this.#placeOf(region.buffer);
    const own = this.#buffers.has(region.buffer);
    if (own && access === "read_write") this.#written.add(region.buffer);
    const guarded = own && this.#options.guards && region.offset + region.elements === region.buffer.elements;
    return { buffer, offset: 4 * (offset + region.offset), size: 4 * (region.elements + (guarded ? GUARD_ELEMENTS : 0)) };
  }

  #placeOf(buffer: VirtualBuffer): BufferPlace {
    return this.#options.leaves.placeOf(buffer) ?? { buffer: this.#real(buffer), offset: 0 };
  }

  /** A buffer of this executable's own. */
  #real(buffer: VirtualBuffer): GPUBuffer {
    const known = this.#buffers.get(buffer);
    if (known) return known;
    const elements = buffer.elements + (this.#options.guards ? GUARD_ELEMENTS : 0);
    const real = this.#device.createStorage(4 * elements, buffer.label);
    this.#buffers.set(buffer, real);
    return real;
  }

  #writeConstant(node: Tensor): void {
    const { values } = node.attributes as ConstantAttributes;
    const words = node.dtype === "float32" ? Float32Array.from(values) : Uint32Array.from(values);
    const region = this.#plan.regions.get(node)!;
    this.#device.gpu.queue.writeBuffer(this.#real(region.buffer), 4 * region.offset, words);
  }

  /** Packs keep their zero padding; everything else that is written gets poison, and so do the guards. */
  #poison(): void {
    for (const buffer of this.#written) {
      const from = buffer.label === "pack" ? buffer.elements : 0;
      const words = new Uint32Array(buffer.elements + GUARD_ELEMENTS - from).fill(POISON);
      this.#device.gpu.queue.writeBuffer(this.#real(buffer), 4 * from, words);
    }
  }
}
