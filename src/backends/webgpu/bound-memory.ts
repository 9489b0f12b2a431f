/*
 * The memory that one dispatch binds: parts of buffers, and their names in the WGSL.
 */
import type { Region } from "../../compiler/regions.ts";
import type { BufferAccess } from "../../device/pipelines.ts";
import { DeviceError } from "../../errors.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { ElementRange } from "../../graph/traits.ts";
import type { Binding } from "./launch.ts";

/** The memory of a tensor, as one kernel accesses it. */
export interface BoundTensor {
  readonly name: string;
  readonly tensor: Tensor;
  /** The WGSL type of an element of the array. */
  readonly type: string;
  readonly region: Region;
  /** The bound elements, from the first one of the region on. */
  readonly range: ElementRange;
  /** Whether it is declared as an array of vec4s, from which single elements can be read too. */
  readonly vec4: boolean;
  readonly access: BufferAccess;
  /** The bytes that the kernel accesses in a step. */
  readonly bytes: number;
}

/** What to bind. Without a name, one is chosen. */
export type Wanted = Omit<BoundTensor, "name"> & Partial<Pick<BoundTensor, "name">>;

export const isSameRegion = (a: Region, b: Region): boolean => a.buffer === b.buffer && a.offset === b.offset;

/** The bindings of one dispatch, each for the memory of one tensor. */
export class BoundMemory {
  protected readonly all: BoundTensor[] = [];

  get count(): number {
    return this.all.length;
  }

  /** Adds a binding. */
  bind(wanted: Wanted): BoundTensor {
    const bound = { name: `${wanted.access === "read" ? "input" : "output"}_${this.count}`, ...wanted };
    this.all.push(bound);
    return bound;
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
   * @param bindingElements the most elements of one binding
   * @throws DeviceError for a part that is larger
   */
  bindings(kernel: string, bindingElements: number): Binding[] {
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

  #inOrder(): BoundTensor[] {
    return [
      ...this.all.filter(({ access }) => access === "read"),
      ...this.all.filter(({ access }) => access !== "read"),
    ];
  }
}
