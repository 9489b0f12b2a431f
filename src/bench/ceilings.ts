/*
 * The peak rates of an adapter, measured with two kernels: multiply-adds in registers, and a copy. Their results are
 * checked too.
 */
import copySource from "../../shaders/ceiling_copy.wgsl?raw";
import multiplyAddSource from "../../shaders/ceiling_fma.wgsl?raw";
import type { Device } from "../device/device.ts";
import { PassTimer } from "../device/timing.ts";
import { greatestCommonDivisor } from "../divisors.ts";
import { requireClose, wrong } from "./check.ts";
import type { Ceilings, Clock } from "./report.ts";
import { FEWEST_SAMPLES, type TimingSettings } from "./replay.ts";

/** Times that are all multiples of at least this many nanoseconds come from a clock that is rounded on purpose. */
const COARSE_NANOSECONDS = 10_000;

/** How long a dispatch should last, so that the overhead of a dispatch is negligible. */
const WANTED_SECONDS = 0.01;

/** A compiled kernel with its bindings. */
interface Loaded {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly groups: number;
}

/** Times kernels for both ceilings. */
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

  /** The clock to use, judged by the GPU's timestamps so far. */
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

  /** Seconds of the fastest run, because a ceiling is the undisturbed rate. */
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

/** Whether times come from a rounded clock, as in browsers and Dawn, or from one that does not advance. */
export function isCoarse(nanoseconds: readonly number[]): boolean {
  const unit = nanoseconds.reduce(greatestCommonDivisor, 0);
  return nanoseconds.length > 0 && (unit === 0 || unit >= COARSE_NANOSECONDS);
}

/**
 * Measures both ceilings, and chooses the clock.
 * @throws ResultError if one of the two kernels computes a wrong result
 */
export async function measureCeilings(
  device: Device,
  settings: TimingSettings,
): Promise<{ ceilings: Ceilings; clock: Clock }> {
  const timer = new CeilingTimer(device, settings);
  try {
    // Two rounds: if the first one shows that the clock is rounded, the second one uses the wall clock.
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
    // The first run may include compiling the kernel.
    await timer.once(kernel);
    while ((await timer.once(kernel)) < WANTED_SECONDS && kernel.groups < mostGroups) {
      kernel = { ...kernel, groups: 4 * kernel.groups };
    }
    checkSums(new Float32Array(await timer.read(sums, 0, 4 * groupThreads * kernel.groups)));
    return (2 * chains * depth * loops * groupThreads * kernel.groups) / (await timer.fastest(kernel));
  } finally {
    coefficients.destroy();
    sums.destroy();
  }
}

/** Each chain computes x ← x · factor + term, whose fixed point is 1, so each iteration multiplies x − 1 by factor. */
function checkSums(sums: Float32Array): void {
  const { chains, depth, loops } = FMA;
  const times = depth * loops;
  const expected = sums.map((_, thread) => {
    let sum = 0;
    for (let chain = 0; chain < chains; chain++)
      sum += 1 + ((thread % 64) / 64 + chain - 1) * COEFFICIENTS.factor ** times;
    return sum;
  });
  // Each iteration rounds once or twice, by at most half a ULP of a number below 17.
  requireClose("ceiling of multiply-adds", sums, expected, { units: 2 * times, scale: 17 });
}

/** Large compared with the caches (up to 256 MiB on GPUs, a few MiB on CPUs), but fast to copy. */
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
        throw wrong("ceiling of copying", `the ${PIECE_BYTES} bytes at offset ${offset} differ from the source`);
      }
    }
    return { bytesPerSecond: (2 * copiedBytes) / (await timer.fastest(kernel)), copiedBytes };
  } finally {
    source.destroy();
    destination.destroy();
  }
}

/** The words of the buffer at an offset; no two words of the buffer are equal. */
function pieceAt(offset: number): Uint32Array<ArrayBuffer> {
  const piece = new Uint32Array(PIECE_BYTES / 4);
  for (let word = 0; word < piece.length; word++) piece[word] = Math.imul(offset / 4 + word, 2654435761);
  return piece;
}
