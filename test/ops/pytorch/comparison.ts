/*
 * Ops beside the PyTorch that should compute the same. `record.ts` runs the PyTorch, and `test/ops/pytorch.test.ts` compares wgrad with
 * what it recorded.
 */
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import { input } from "../../../src/graph/leaves.ts";
import { sizeOf, type Tensor } from "../../../src/graph/tensor.ts";
import { multiply } from "../../../src/ops/elementwise/index.ts";
import { gradients } from "../../../src/ops/gradients.ts";
import { sum } from "../../../src/ops/reduce/index.ts";
import { Random, randomKey } from "../../../src/random.ts";
import { uniform, type InputSpec, type InputValues } from "../cases.ts";
import { arrayOf, evaluate, type Outputs } from "../evaluate.ts";

export interface Comparison {
  /** The function of docs/ops.md that is compared. */
  readonly op: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly build: (inputs: Readonly<Record<string, Tensor>>) => Tensor;
  /** An expression in Python of the inputs, with the names and helpers of record.py. */
  readonly torch: string;
  /** The inputs whose gradients are compared: all that are float32, unless the derivative is 0 everywhere. */
  readonly differentiable: readonly string[];
}

type Tensors<Name extends string> = Readonly<Record<Name, Tensor>>;

export function comparison<Name extends string>(
  op: string,
  inputs: Readonly<Record<Name, InputSpec>>,
  build: (inputs: Tensors<Name>) => Tensor,
  torch: string,
  differentiable?: readonly NoInfer<Name>[],
): Comparison {
  const floats = Object.entries<InputSpec>(inputs).filter(([, { dtype }]) => (dtype ?? "float32") === "float32");
  return {
    op,
    inputs,
    build: build as Comparison["build"],
    torch,
    differentiable: differentiable ?? floats.map(([name]) => name),
  };
}

/** Floats within ±2. */
export const floats = (...shape: number[]): InputSpec => ({ shape, draw: uniform(-2, 2) });

/** A name for a comparison, and for what is recorded of it. */
export const nameOf = ({ op, torch }: Comparison): string => `${op}: ${torch}`;

/** The weight of each element in the sum that is differentiated. */
export const UPSTREAM = "upstream";

export interface PreparedComparison {
  readonly leaves: Readonly<Record<string, Tensor>>;
  readonly output: Tensor;
  readonly values: InputValues;
}

/** Draws the inputs, which are the same in every run. */
export function prepared(given: Comparison): PreparedComparison {
  const specs = Object.entries(given.inputs);
  const inputs = Object.fromEntries(specs.map(([name, { shape, dtype }]) => [name, input(name, shape, dtype)]));
  const output = given.build(inputs);
  const upstream: InputSpec = { shape: output.shape, draw: uniform(-1.5, 1.5) };
  const random = new Random(randomKey(...Array.from(nameOf(given), (letter) => letter.codePointAt(0)!)));
  const drawn = [...specs, [UPSTREAM, upstream] as const].map(([name, { shape, dtype = "float32", draw }]) => {
    return [name, arrayOf(dtype, draw(random, sizeOf(shape)))] as const;
  });
  return {
    leaves: { ...inputs, [UPSTREAM]: input(UPSTREAM, output.shape) },
    output,
    values: Object.fromEntries(drawn),
  };
}

const reference = createCpuBackend({ precision: "float64" });

/** "output", and the gradient of each differentiable input by its name, in float64. */
export async function computed(given: Comparison): Promise<Outputs> {
  const { leaves, output, values } = prepared(given);
  const { differentiable } = given;
  const loss = differentiable.length > 0 ? sum(multiply(output, leaves[UPSTREAM]!)) : output;
  const found =
    differentiable.length === 0
      ? []
      : gradients(
          loss,
          differentiable.map((name) => leaves[name]!),
        );
  const outputs = { output, ...Object.fromEntries(differentiable.map((name, index) => [name, found[index]!])) };
  return evaluate(reference, outputs, leaves, values);
}

/** What PyTorch computed: lists of numbers by the names of `computed`. */
export type Recorded = Readonly<Record<string, readonly number[]>>;

/** The largest |wgrad − PyTorch| / max(1, |PyTorch|) of the output and of the gradients. */
export function differences(found: Outputs, recorded: Recorded): { output: number; gradient: number } {
  const largest = (names: readonly string[]) =>
    names.reduce((most, name) => {
      const wanted = recorded[name]!;
      if (wanted.length !== found[name]!.length) return Infinity;
      return wanted.reduce((all, value, index) => {
        const difference = Math.abs(found[name]![index]! - value) / Math.max(1, Math.abs(value));
        return Number.isNaN(difference) ? Infinity : Math.max(all, difference);
      }, most);
    }, 0);
  return { output: largest(["output"]), gradient: largest(Object.keys(found).filter((name) => name !== "output")) };
}
