/*
 * The trace of a submit: each step has its own 32-bit words with its scalar outputs and the atomic results of its
 * kernels, which are 0 at the beginning of the submit.
 */
import type { Group } from "../../compiler/fuse.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { BufferAccess } from "../../device/pipelines.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { integerLiteral } from "../../ops/webgpu/wgsl.ts";

type TracedPlan = Pick<Plan, "traces" | "fusion">;

/** The tensors in the words of a step, in order. */
export const tracedTensors = ({ traces, fusion }: TracedPlan): Tensor[] => [
  ...new Set([...traces.map(({ tensor }) => tensor), ...fusion.atomics]),
];

/** The WGSL with which one kernel accesses the trace, bound as `trace`. */
export class KernelTrace {
  readonly access: BufferAccess;
  readonly #tensors: readonly Tensor[];
  readonly #atomic: boolean;
  #isUsed = false;

  /** @param atomic whether the kernel, or another one of its dispatch, raises an atomic result */
  constructor(plan: TracedPlan, { outputs }: Pick<Group, "outputs">, atomic: boolean) {
    this.#tensors = tracedTensors(plan);
    this.#atomic = atomic;
    this.access = atomic || outputs.some((output) => this.#tensors.includes(output)) ? "read_write" : "read";
  }

  /** Whether WGSL that accesses the trace has been written. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** The WGSL type of its elements. */
  get type(): string {
    return this.#atomic ? "atomic<u32>" : "u32";
  }

  holds(tensor: Tensor): boolean {
    return this.#tensors.includes(tensor);
  }

  /** The WGSL of an atomic result that earlier kernels have computed. */
  load(result: Tensor): string {
    return this.#atomic ? `atomicLoad(&${this.#word(result)})` : this.#word(result);
  }

  /** The WGSL statement that stores a scalar output. */
  store(output: Tensor, value: string): string {
    const bits = output.dtype === "float32" ? `bitcast<u32>(${value})` : value;
    const word = this.#word(output);
    return this.#atomic ? `atomicStore(&${word}, ${bits});` : `${word} = ${bits};`;
  }

  /** The WGSL expression that raises an atomic result to a value and returns its previous value. */
  raise(result: Tensor, value: string): string {
    return `atomicMax(&${this.#word(result)}, ${value})`;
  }

  #word(tensor: Tensor): string {
    this.#isUsed = true;
    const [words, position] = [this.#tensors.length, this.#tensors.indexOf(tensor)].map(integerLiteral);
    return `trace[scalars.slot * ${words} + ${position}]`;
  }
}
