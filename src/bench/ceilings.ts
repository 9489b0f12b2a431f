/*
 * What an adapter does at its best, by two kernels that do nothing else. Their results are checked as well.
 */
import copySource from "../../shaders/ceiling_copy.wgsl?raw";
import multiplyAddSource from "../../shaders/ceiling_fma.wgsl?raw";
import type { Device } from "../device/device.ts";
import { PassTimer } from "../device/timing.ts";
import { requireClose, wrong } from "./check.ts";
import type { Ceilings, Clock } from "./report.ts";
import { FEWEST_SAMPLES, type TimingSettings } from "./replay.ts";

/** Times that are all multiples of so many nanoseconds come from a clock that was made coarse on purpose. */
const COARSE_NANOSECONDS = 10_000;

/** What a dispatch should last, to drown what a dispatch costs by itself. */
const WANTED_SECONDS = 0.01;

/** A kernel that is ready to run, in a pass of its own. */
interface Loaded {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly groups: number;
}

/** What both ceilings are measured with. */
class CeilingTimer {
  readonly device: Device;
  readonly #settings: TimingSettings;
  readonly #timer: PassTimer | undefined;
  readonly #nanoseconds: number[] = [];

  constructor(device: Device, settings: TimingSettings) {
    this.device = device;
    this.#settings = settings;
    this.#timer = device.hasTimestamps ? new PassTimer(device, 1) : undefined;
  }

  /** The clock that can be relied on, by the times that the GPU's gave so far. */
  get clock(): Clock {
    return this.#timer && !isCoarse(this.#nanoseconds) ? "timestamps" : "wall clock";
  }

  async load(code: string, buffers: readonly GPUBuffer[], groups: number): Promise<Loaded> {
    const { gpu } = this.device;
    const module = gpu.createShaderModule({ code });
    const pipeline = await gpu.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    return { pipeline, groups, bindGroup: gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }) };
  }

  /** Seconds of the fastest run: a ceiling is what the adapter can do when nothing disturbs it. */
  async fastest(kernel: Loaded): Promise<number> {
    const { samples, mostSeconds } = this.#settings;
    let fastest = Infinity;
    const started = performance.now();
    for (let sample = 0; sample < samples + 1; sample++) {
      if (sample > FEWEST_SAMPLES && performance.now() - started > 1000 * mostSeconds) break;
      fastest = Math.min(fastest, await this.once(kernel));
    }
    return fastest;
  }

  async once(kernel: Loaded): Promise<number> {
    const { gpu } = this.device;
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass(this.#timer && { timestampWrites: this.#timer.writes(0) });
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, kernel.bindGroup);
    pass.dispatchWorkgroups(kernel.groups);
    pass.end();
    const started = performance.now();
    if (this.#timer) this.#nanoseconds.push(...(await this.#timer.submit(encoder)));
    else {
      gpu.queue.submit([encoder.finish()]);
      await gpu.queue.onSubmittedWorkDone();
    }
    const seconds = (performance.now() - started) / 1000;
    return this.clock === "timestamps" ? this.#nanoseconds.at(-1)! / 1e9 : seconds;
  }

  async read(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const { gpu, staging } = this.device;
    const encoder = gpu.createCommandEncoder();
    const copy = staging.copy(encoder, buffer, offset, bytes);
    gpu.queue.submit([encoder.finish()]);
    return this.device.arrived(copy);
  }

  dispose(): void {
    this.#timer?.dispose();
  }
}

/** Whether times show a clock that browsers and Dawn round, or one that stands still. */
export function isCoarse(nanoseconds: readonly number[]): boolean {
  const unit = nanoseconds.reduce(greatestCommonDivisor, 0);
  return nanoseconds.length > 0 && (unit === 0 || unit >= COARSE_NANOSECONDS);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * Measures both ceilings, and finds out which clock is to be trusted.
 * @throws ResultError where one of the two kernels computes something else than it should
 */
export async function measureCeilings(
  device: Device,
  settings: TimingSettings,
): Promise<{ ceilings: Ceilings; clock: Clock }> {
  const timer = new CeilingTimer(device, settings);
  try {
    // Two rounds: what the first one shows of the clock decides what the second one reads.
    for (let round = 0; round < 2; round++) {
      const flopsPerSecond = await multiplyAddRate(timer);
      const { clock } = timer;
      const copied = await copyRate(timer);
      if (timer.clock === clock) return { ceilings: { flopsPerSecond, ...copied }, clock };
    }
    return {
      ceilings: { flopsPerSecond: await multiplyAddRate(timer), ...(await copyRate(timer)) },
      clock: timer.clock,
    };
  } finally {
    timer.dispose();
  }
}

const FMA = { chains: 16, depth: 4, loops: 1024, groupThreads: 64, fewestGroups: 64, mostGroups: 16_384 } as const;

const COEFFICIENTS = { factor: 1 - 2 ** -12, term: 2 ** -12 } as const;

async function multiplyAddRate(timer: CeilingTimer): Promise<number> {
  const { chains, depth, loops, groupThreads, fewestGroups, mostGroups } = FMA;
  const { gpu } = timer.device;
  const bytes = 4 * groupThreads * mostGroups;
  const coefficients = gpu.createBuffer({ size: 8, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  const sums = gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  gpu.queue.writeBuffer(coefficients, 0, Float32Array.of(COEFFICIENTS.factor, COEFFICIENTS.term));
  try {
    const code = `const LOOPS = ${loops}u;\nconst GROUP_THREADS = ${groupThreads}u;\n${multiplyAddSource}`;
    let kernel = await timer.load(code, [coefficients, sums], fewestGroups);
    // The first run of a kernel may still be compiling it.
    await timer.once(kernel);
    while (kernel.groups < mostGroups && (await timer.once(kernel)) < WANTED_SECONDS) {
      kernel = { ...kernel, groups: 4 * kernel.groups };
    }
    checkSums(new Float32Array(await timer.read(sums, 0, 4 * groupThreads * kernel.groups)));
    return (2 * chains * depth * loops * groupThreads * kernel.groups) / (await timer.fastest(kernel));
  } finally {
    coefficients.destroy();
    sums.destroy();
  }
}

/** Each chain is x ← x · factor + term with the fixed point 1, so that x − 1 is multiplied by factor each time. */
function checkSums(sums: Float32Array): void {
  const { chains, depth, loops } = FMA;
  const times = depth * loops;
  const expected = sums.map((_, thread) => {
    let sum = 0;
    for (let chain = 0; chain < chains; chain++)
      sum += 1 + ((thread % 64) / 64 + chain - 1) * COEFFICIENTS.factor ** times;
    return sum;
  });
  // Each time rounds once or twice, by at most half a last place of a number below 17.
  requireClose("ceiling of multiply-adds", sums, expected, { units: 2 * times, scale: 17 });
}

/** Several times the cache of any adapter so far, yet soon copied: GPUs have up to 256 MiB of it, CPUs a few. */
const COPIED_BYTES = { gpu: 2 ** 28, software: 2 ** 26 };
const PIECE_BYTES = 2 ** 22;
const VECTORS_PER_THREAD = 4;

async function copyRate(timer: CeilingTimer): Promise<{ bytesPerSecond: number; copiedBytes: number }> {
  const { gpu, limits, adapter } = timer.device;
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  const wanted = Math.min(adapter.software ? COPIED_BYTES.software : COPIED_BYTES.gpu, most);
  const copiedBytes = Math.floor(wanted / PIECE_BYTES) * PIECE_BYTES;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const [source, destination] = [
    gpu.createBuffer({ size: copiedBytes, usage }),
    gpu.createBuffer({ size: copiedBytes, usage }),
  ];
  try {
    for (let offset = 0; offset < copiedBytes; offset += PIECE_BYTES)
      gpu.queue.writeBuffer(source, offset, pieceAt(offset));
    const groupThreads = 256;
    const threads = copiedBytes / 16 / VECTORS_PER_THREAD;
    const code = `const THREADS = ${threads}u;\nconst GROUP_THREADS = ${groupThreads}u;\n${copySource}`;
    const kernel = await timer.load(code, [source, destination], threads / groupThreads);
    await timer.once(kernel);
    for (let offset = 0; offset < copiedBytes; offset += PIECE_BYTES) {
      const found = new Uint32Array(await timer.read(destination, offset, PIECE_BYTES));
      const piece = pieceAt(offset);
      if (!found.every((word, position) => word === piece[position])) {
        throw wrong("ceiling of copying", `the ${PIECE_BYTES} bytes from ${offset} on are not those of the source`);
      }
    }
    return { bytesPerSecond: (2 * copiedBytes) / (await timer.fastest(kernel)), copiedBytes };
  } finally {
    source.destroy();
    destination.destroy();
  }
}

/** Words that no other place of the buffer holds. */
function pieceAt(offset: number): Uint32Array<ArrayBuffer> {
  const piece = new Uint32Array(PIECE_BYTES / 4);
  for (let word = 0; word < piece.length; word++) piece[word] = Math.imul(offset / 4 + word, 2654435761);
  return piece;
}
