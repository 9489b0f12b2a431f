/*
 * The memory that one dispatch binds: tensors, the trace, and the results of parts.
 */
import { touchedBytes } from "../../compiler/describe.ts";
import { anchorsOf, type Group } from "../../compiler/fuse.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { Region } from "../../compiler/regions.ts";
import type { BufferAccess } from "../../device/pipelines.ts";
import { DeviceError } from "../../errors.ts";
import type { DType, Tensor } from "../../graph/tensor.ts";
import type { ElementRange } from "../../graph/traits.ts";
import type { AnchorLaunch } from "../../ops/kernel.ts";
import type { Binding, StepContext } from "./launch.ts";
import { rangeInLaunch } from "./launch-ranges.ts";
import { tracedTensors, type KernelTrace } from "./trace.ts";
import { isShared } from "./vec4.ts";

/** A tensor's memory as bound in one kernel. */
export interface BoundTensor {
  readonly name: string;
  readonly tensor: Tensor;
  /** The WGSL type of an element of the array. */
  readonly type: string;
  readonly region: Region;
  readonly range: ElementRange;
  /** Whether it is declared as an array of vec4s, from which single elements can be read too. */
  readonly vec4: boolean;
  readonly access: BufferAccess;
  /** The bytes that a step accesses, for what is no tensor of the group. */
  readonly bytes?: number;
}

/** What one dispatch computes. */
export interface KernelParts extends StepContext {
  readonly plan: Plan;
  readonly group: Group;
  readonly launch: AnchorLaunch;
  /** Where the launches of the group store results of parts. */
  readonly parts: Region;
}

/** The name of the binding with the results of parts. */
export const PARTS = "parts";

export const wgslType = (dtype: DType) => (dtype === "float32" ? "f32" : "u32");

export class KernelBindings {
  /**
   * The tensors that the launch writes: those with memory, or only the anchor's partial sum if more launches follow.
   */
  readonly stored: readonly Tensor[];
  readonly #parts: KernelParts;
  readonly #all: BoundTensor[] = [];

  constructor(parts: KernelParts) {
    this.#parts = parts;
    const { group, launch } = parts;
    if (launch.partial) this.stored = launch.parts ? [] : group.outputs.slice(0, 1);
    else this.stored = [...group.outputs, ...group.replacements];
  }

  get count(): number {
    return this.#all.length;
  }

  /** Those of tensors of whose elements each thread reads or writes its own. */
  ofElements(): BoundTensor[] {
    return this.#all.filter(({ tensor }) => !isShared(tensor));
  }

  /** @param vec4 whether to declare it as an array of vec4s, if it is not bound yet */
  bind(tensor: Tensor, access: BufferAccess, vec4 = this.#parts.launch.vec4 && !isShared(tensor)): BoundTensor {
    const region = this.#parts.plan.regions.get(tensor)!;
    let binding = this.#all.find(
      (other) => other.region.buffer === region.buffer && other.region.offset === region.offset,
    );
    if (!binding) {
      const isVec4 = (vec4 ?? false) && tensor.dtype !== "uint8" && region.elements % 4 === 0;
      const type = wgslType(tensor.dtype);
      binding = {
        name: `${access === "read" ? "input" : "output"}_${this.#all.length}`,
        tensor,
        type: isVec4 ? `vec4<${type}>` : type,
        region,
        range: this.#rangeOf(tensor) ?? { start: 0, end: region.elements },
        access,
        vec4: isVec4,
      };
      this.#all.push(binding);
    }
    return binding;
  }

  /** Binds the trace, of which a step accesses one word. */
  bindTrace({ type, access }: KernelTrace): void {
    const { trace: region, plan } = this.#parts;
    this.#bindWords(tracedTensors(plan)[0]!, { name: "trace", type, region, access, bytes: 4 });
  }

  bindParts(access: BufferAccess): void {
    const { parts: region, group } = this.#parts;
    this.#bindWords(anchorsOf(group)[0]!, { name: PARTS, type: "u32", region, access, bytes: 4 * region.elements });
  }

  /** The WGSL declarations. Bindings that are only read come first. */
  declarations(): string[] {
    return this.#inOrder().map(
      ({ name, type, access }, binding) =>
        `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${type}>;`,
    );
  }

  /**
   * The bound parts of buffers, in the order of the declarations.
   * @param kernel the kernel's name, for messages
   * @throws DeviceError for a part that is larger than the device's bindings
   */
  windows(kernel: string): Binding[] {
    const { bindingElements } = this.#parts.limits;
    return this.#inOrder().map(({ tensor, region, range, access }) => {
      const elements = range.end - range.start;
      if (elements > bindingElements) {
        throw new DeviceError({
          where: kernel,
          what: `${tensor} needs ${4 * elements} bytes in one binding, and this device allows ${4 * bindingElements}`,
          fix: "Use a smaller batch or micro-batches, or train on the CPU",
        });
      }
      return { region: { ...region, offset: region.offset + range.start, elements }, access };
    });
  }

  /** The bytes that a step accesses. */
  touchedBytes(): number {
    const { group, plan } = this.#parts;
    return this.#all.reduce(
      (sum, { tensor, range, bytes }) =>
        sum + (bytes ?? touchedBytes(group, tensor, plan.fusion.inlined, 4 * (range.end - range.start))),
      0,
    );
  }

  /** @param tensor the tensor that an error names if the region is too large for a binding */
  #bindWords(tensor: Tensor, words: Pick<BoundTensor, "name" | "type" | "region" | "access" | "bytes">): void {
    this.#all.push({ ...words, tensor, range: { start: 0, end: words.region.elements }, vec4: false });
  }

  #rangeOf(tensor: Tensor): ElementRange | undefined {
    return rangeInLaunch(tensor, { ...this.#parts, stored: this.stored }, this.#parts.plan.fusion.inlined);
  }

  #inOrder(): BoundTensor[] {
    return [
      ...this.#all.filter(({ access }) => access === "read"),
      ...this.#all.filter(({ access }) => access !== "read"),
    ];
  }
}
