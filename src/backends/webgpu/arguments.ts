/*
 * The arguments of dispatches: integers in which otherwise equal kernels differ, such as the first row of a slice. Kernels
 * read them from a uniform buffer instead of their text, so that such kernels are compiled once. They do not change from
 * step to step.
 */
import { aligned } from "../../alignment.ts";
import type { Device } from "../../device/device.ts";
import { integerLiteral } from "../../ops/webgpu/wgsl.ts";

/** The arguments of one dispatch, while its kernels are written. */
export class DispatchArguments {
  readonly values: number[] = [];

  /** Adds an argument and returns the WGSL that reads it, of type u32. */
  add(value: number): string {
    const position = this.values.push(value) - 1;
    return `arguments[${integerLiteral(Math.floor(position / 4))}].${"xyzw"[position % 4]}`;
  }

  /** @param binding the number of the binding in group 0 */
  declaration(binding: number): string[] {
    if (this.values.length === 0) return [];
    const vectors = integerLiteral(Math.ceil(this.values.length / 4));
    return [`@group(0) @binding(${binding}) var<uniform> arguments: array<vec4<u32>, ${vectors}>;`];
  }
}

/** The arguments of all dispatches of an executable, in one buffer. */
export class ArgumentBuffer {
  readonly #buffer: GPUBuffer | undefined;
  readonly #starts: readonly number[];
  readonly #sizes: readonly number[];

  /** @param dispatches the arguments of each dispatch, which may be none */
  constructor(device: Device, dispatches: readonly (readonly number[])[]) {
    this.#sizes = dispatches.map(({ length }) => 4 * Math.ceil(length / 4));
    let elements = 0;
    this.#starts = dispatches.map(({ length }) => (elements += aligned(length)) - aligned(length));
    if (elements === 0) return;
    const words = new Uint32Array(elements);
    dispatches.forEach((values, dispatch) => words.set(values, this.#starts[dispatch]!));
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.#buffer = device.gpu.createBuffer({ size: words.byteLength, usage, label: "arguments" });
    device.gpu.queue.writeBuffer(this.#buffer, 0, words);
  }

  /** The binding of a dispatch's arguments; undefined if it has none. */
  of(dispatch: number): GPUBufferBinding | undefined {
    const size = 4 * this.#sizes[dispatch]!;
    return size === 0 ? undefined : { buffer: this.#buffer!, offset: 4 * this.#starts[dispatch]!, size };
  }

  dispose(): void {
    this.#buffer?.destroy();
  }
}
