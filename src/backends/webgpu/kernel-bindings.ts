/*
 * The memory that one kernel accesses: tensors, the trace, and the results of parts.
 */
import { touchedBytes } from "../../compiler/describe.ts";
import { anchorsOf, type Group } from "../../compiler/fuse.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { Region } from "../../compiler/regions.ts";
import type { BufferAccess } from "../../device/pipelines.ts";
import type { DType, Tensor } from "../../graph/tensor.ts";
import type { ElementRange } from "../../graph/traits.ts";
import type { AnchorLaunch } from "../../ops/kernel.ts";
import { isSameRegion, type BoundMemory, type BoundTensor } from "./bound-memory.ts";
import type { StepContext } from "./launch.ts";
import { rangeInLaunch } from "./launch-ranges.ts";
import { tracedTensors, type KernelTrace } from "./trace.ts";
import { isShared } from "./vec4.ts";

/** What one kernel computes. */
export interface KernelTask extends StepContext {
  readonly plan: Plan;
  readonly group: Group;
  readonly launch: AnchorLaunch;
  /** Where the launches of the group store results of parts. */
  readonly parts: Region;
}

/** The name of the binding with the results of parts. */
export const PARTS = "parts";

export const wgslType = (dtype: DType) => (dtype === "float32" ? "f32" : "u32");

/** What one kernel binds in the memory of its dispatch. */
export class KernelBindings {
  /**
   * The tensors that the launch writes: those with memory, or only the anchor's partial sum if more launches follow.
   */
  readonly stored: readonly Tensor[];
  readonly #task: KernelTask;
  readonly #memory: BoundMemory;
  /** What this kernel accesses of the memory. */
  readonly #all: BoundTensor[] = [];

  /** @param memory the memory of the dispatch, which other kernels may share */
  constructor(task: KernelTask, memory: BoundMemory) {
    this.#task = task;
    this.#memory = memory;
    const { group, launch } = task;
    if (launch.partial) this.stored = launch.parts ? [] : group.outputs.slice(0, 1);
    else this.stored = [...group.outputs, ...group.replacements];
  }

  /** Those of which each thread accesses its own elements: not those of a single element, which all threads read. */
  ofElements(): BoundTensor[] {
    return this.#all.filter(({ tensor }) => !isShared(tensor));
  }

  /**
   * The memory of a tensor, which is bound if it is not yet.
   * @param vec4 whether to declare it as an array of vec4s then
   */
  bind(tensor: Tensor, access: BufferAccess, vec4 = this.#task.launch.vec4 && !isShared(tensor)): BoundTensor {
    const region = this.#task.plan.regions.get(tensor)!;
    let binding = this.#all.find((other) => isSameRegion(other.region, region));
    if (!binding) {
      const isVec4 = (vec4 ?? false) && tensor.dtype !== "uint8" && region.elements % 4 === 0;
      const type = wgslType(tensor.dtype);
      const range = this.#rangeOf(tensor) ?? { start: 0, end: region.elements };
      const { group, plan } = this.#task;
      binding = this.#memory.bind({
        tensor,
        type: isVec4 ? `vec4<${type}>` : type,
        region,
        range,
        access,
        vec4: isVec4,
        bytes: touchedBytes(group, tensor, plan.fusion.inlined, 4 * (range.end - range.start)),
      });
      this.#all.push(binding);
    }
    return binding;
  }

  /** Binds the trace, of which a step accesses one word. */
  bindTrace({ type, access }: KernelTrace): void {
    const { trace: region, plan } = this.#task;
    this.#bindWords(tracedTensors(plan)[0]!, { name: "trace", type, region, access, bytes: 4 });
  }

  bindParts(access: BufferAccess): void {
    const { parts: region, group } = this.#task;
    this.#bindWords(anchorsOf(group)[0]!, { name: PARTS, type: "u32", region, access, bytes: 4 * region.elements });
  }

  /** The bytes that the kernel accesses in a step. */
  touchedBytes(): number {
    return this.#all.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** @param tensor the tensor that an error names if the region is too large for a binding */
  #bindWords(tensor: Tensor, words: Pick<BoundTensor, "name" | "type" | "region" | "access" | "bytes">): void {
    const range = { start: 0, end: words.region.elements };
    this.#all.push(this.#memory.bind({ ...words, tensor, range, vec4: false }));
  }

  #rangeOf(tensor: Tensor): ElementRange | undefined {
    return rangeInLaunch(tensor, { ...this.#task, stored: this.stored }, this.#task.plan.fusion.inlined);
  }
}
