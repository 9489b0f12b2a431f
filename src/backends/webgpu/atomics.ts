/*
 * The WGSL for atomic results: each thread keeps the maximum over its elements, and at its end raises the step's word
 * to it with an atomic maximum. A maximum of integers does not depend on the order of the threads.
 */
import type { AtomicPart } from "../../compiler/atomics.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { rootOf } from "../../graph/views.ts";
import { ElementCode, placeAt, type ElementScope } from "./element.ts";
import { atomicKernel } from "./kernels.ts";
import type { KernelTrace } from "./trace.ts";

/** The parts of the surrounding kernel that this code uses. */
interface AtomicScope extends ElementScope {
  /** The WGSL of the single element of a new value in memory. */
  single(tensor: Tensor): string;
}

/** The code with which a kernel combines atomic results. */
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

  /** The variables of each thread. */
  declarations(): string[] {
    return this.#results.map((_, position) => `var<private> raised_${position}: u32 = 0u;`);
  }

  /** The lines that include an element in the thread's maximum. */
  takeLines(value: Tensor, expression: string, index: string): string[] {
    return this.#parts
      .filter((part) => part.value === value)
      .map(({ result, offset }) => {
        const kernel = atomicKernel(result)!;
        this.#scope.useLibrary(kernel.library);
        const number = `(${this.#scope.argument(offset)} + ${index})`;
        const name = `raised_${this.#results.indexOf(result)}`;
        return `${name} = max(${name}, ${kernel.expression(result, expression, number)});`;
      });
  }

  /** The lines at the end of a thread. */
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
