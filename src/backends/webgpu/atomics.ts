/*
 * The WGSL by which a kernel takes part in atomic results: each thread keeps the most that its elements gave, and raises the
 * word of the step to it at its end. Which thread comes first does not matter to a maximum of integers.
 */
import type { AtomicPart } from "../../compiler/atomics.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { rootOf } from "../../graph/views.ts";
import { integerLiteral } from "../../ops/webgpu/wgsl.ts";
import { ElementCode, placeAt, type ElementScope } from "./element.ts";
import { atomicKernel } from "./kernels.ts";
import type { KernelTrace } from "./trace.ts";

/** What the text needs of the kernel around it. */
interface AtomicScope extends ElementScope {
  /** The WGSL of the one element of a new value in memory. */
  single(tensor: Tensor): string;
}

/** The part of a kernel that combines atomic results. */
export class AtomicText {
  readonly #scope: AtomicScope;
  readonly #parts: readonly AtomicPart[];
  readonly #replacements: readonly Tensor[];
  readonly #results: readonly Tensor[];

  constructor(scope: AtomicScope, parts: readonly AtomicPart[], replacements: readonly Tensor[]) {
    this.#scope = scope;
    this.#parts = parts;
    this.#replacements = replacements;
    this.#results = [...new Set(parts.map(({ result }) => result))];
  }

  /** What each thread keeps. */
  declarations(): string[] {
    return this.#results.map((_, position) => `var<private> raised_${position}: u32 = 0u;`);
  }

  /** The lines by which a thread takes note of an element that it made. */
  takeLines(value: Tensor, expression: string, index: string): string[] {
    return this.#parts
      .filter((part) => part.value === value)
      .map(({ result, offset }) => {
        const kernel = atomicKernel(result)!;
        this.#scope.useLibrary(kernel.library);
        const number = offset === 0 ? index : `(${integerLiteral(offset)} + ${index})`;
        const name = `raised_${this.#results.indexOf(result)}`;
        return `${name} = max(${name}, ${kernel.expression(result, expression, number)});`;
      });
  }

  /** What a thread does at its end. */
  finishLines(trace: () => KernelTrace): string[] {
    return this.#results.flatMap((result, position) => {
      const raise = trace().raise(result, `raised_${position}`);
      const lines = this.#replacements
        .filter(({ inputs }) => rootOf(inputs[0]!) === result)
        .flatMap((node) => this.#replaceLines(node));
      return [
        `if (raised_${position} != 0u) {`,
        ...(lines.length === 0 ? [`${raise};`] : [`if (${raise} == 0u) {`, ...lines, "}"]),
        "}",
      ];
    });
  }

  /** Only the first thread that raises the result computes and stores the new value of a state. */
  #replaceLines(node: Tensor): string[] {
    const code = new ElementCode(this.#scope);
    const replacement = node.inputs[2]!;
    const value = code.value(replacement, placeAt("0u", replacement.shape));
    return [...code.lines, `${this.#scope.single(node)} = ${value};`];
  }
}
