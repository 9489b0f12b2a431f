import { DeviceError } from "../errors.ts";

/** How a kernel uses a storage buffer. */
export type BufferAccess = "read" | "read_write";

/** A binding of group 0: a storage buffer, or a uniform buffer. */
export type BindingKind = BufferAccess | "uniform";

const BUFFER_TYPES = { read: "read-only-storage", read_write: "storage", uniform: "uniform" } as const;

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  /** The layout of group 0. */
  readonly layout: GPUBindGroupLayout;
}

/**
 * Compute pipelines by their WGSL. Each is compiled once, and compilations run in parallel. Layouts are explicit and
 * shared.
 */
export class PipelineCache {
  readonly #gpu: GPUDevice;
  readonly #onKernel: ((name: string, code: string) => void) | undefined;
  readonly #pipelines = new Map<string, Promise<Pipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** Group 1: one uniform buffer with per-step scalars, at a dynamic offset. */
  readonly scalarsLayout: GPUBindGroupLayout;

  /** @param onKernel called with each kernel's WGSL before it is compiled */
  constructor(gpu: GPUDevice, onKernel?: (name: string, code: string) => void) {
    this.#gpu = gpu;
    this.#onKernel = onKernel;
    this.scalarsLayout = gpu.createBindGroupLayout({
      label: "per-step scalars",
      entries: [
        { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform", hasDynamicOffset: true } },
      ],
    });
  }

  /**
   * The pipeline of a kernel with the entry point `main`.
   * @param bindings those of group 0, in their order
   * @throws DeviceError with the kernel's name, the line of WGSL and the compiler's message
   */
  get(code: string, bindings: readonly BindingKind[], label: string): Promise<Pipeline> {
    const key = `${bindings.join()}\n${code}`;
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      this.#onKernel?.(label, code);
      pipeline = this.#compile(code, bindings, label);
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  async #compile(code: string, bindings: readonly BindingKind[], label: string): Promise<Pipeline> {
    const gpu = this.#gpu;
    const layout = this.#layout(bindings);
    gpu.pushErrorScope("validation");
    const module = gpu.createShaderModule({ code, label });
    const compiling = gpu.createComputePipelineAsync({
      label,
      layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout, this.scalarsLayout] }),
      compute: { module, entryPoint: "main" },
    });
    const scope = gpu.popErrorScope();
    const [outcome, error] = await Promise.all([compiling.catch((reason: unknown) => reason), scope]);
    if (error || outcome instanceof Error) throw await shaderError(module, code, label, error ?? (outcome as Error));
    return { pipeline: outcome as GPUComputePipeline, layout };
  }

  #layout(bindings: readonly BindingKind[]): GPUBindGroupLayout {
    const key = bindings.join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      layout = this.#gpu.createBindGroupLayout({
        label: key,
        entries: bindings.map((kind, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: BUFFER_TYPES[kind] },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

async function shaderError(
  module: GPUShaderModule,
  code: string,
  label: string,
  error: { message: string },
): Promise<DeviceError> {
  const { messages } = await module.getCompilationInfo();
  const first = messages.find(({ type }) => type === "error");
  if (!first)
    return new DeviceError({
      where: `kernel ${label}`,
      what: error.message.trim(),
      fix: "Please report this as a bug in wgrad",
    });
  const line = code.split("\n")[first.lineNum - 1] ?? "";
  return new DeviceError({
    where: `kernel ${label}, line ${first.lineNum}, column ${first.linePos}`,
    what: `${first.message} in \`${line.trim()}\``,
    fix: "Correct the WGSL. Generated lines come from the graph's ops",
  });
}
