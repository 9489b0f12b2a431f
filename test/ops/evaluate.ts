/* Cases as graphs, and graphs run by a backend. */
import type { Backend, NumericArray } from "../../src/backends/backend.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { sizeOf, type DType, type Tensor } from "../../src/graph/tensor.ts";
import { multiply } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import type { Random } from "../../src/random.ts";
import { requireIntactGuards } from "../guarded-buffers.ts";
import type { InputValues, OpCase } from "./cases.ts";

export type Outputs = Readonly<Record<string, NumericArray>>;

/** A case's graph, with the scalar that is differentiated. */
export interface BuiltCase {
  readonly opCase: OpCase;
  readonly leaves: Readonly<Record<string, Tensor>>;
  readonly output: Tensor;
  /** The names of the inputs with gradients. */
  readonly differentiable: readonly string[];
  /** Σ output · upstream, with one weight per element, so that every element counts; absent without gradients. */
  readonly loss?: Tensor;
}

const UPSTREAM = "upstream";

export function buildCase(opCase: OpCase): BuiltCase {
  const leaves: Record<string, Tensor> = Object.fromEntries(
    Object.entries(opCase.inputs).map(([name, { shape, dtype }]) => [name, input(name, shape, dtype)]),
  );
  const output = opCase.build(leaves);
  const differentiable = Object.keys(opCase.differentiable ?? {});
  if (differentiable.length === 0) return { opCase, leaves, output, differentiable };
  const upstream = input(UPSTREAM, output.shape);
  return {
    opCase,
    leaves: { ...leaves, [UPSTREAM]: upstream },
    output,
    differentiable,
    loss: sum(multiply(output, upstream)),
  };
}

/** The gradient of each differentiable input, by the name of the input. */
export function caseGradients({ loss, leaves, differentiable }: BuiltCase): Record<string, Tensor> {
  if (!loss) return {};
  const found = gradients(
    loss,
    differentiable.map((name) => leaves[name]!),
  );
  return Object.fromEntries(differentiable.map((name, position) => [name, found[position]!]));
}

/** What a case computes: "output", and "gradient of NAME" for each differentiable input. */
export function caseOutputs(built: BuiltCase): Record<string, Tensor> {
  const found = Object.entries(caseGradients(built)).map(([name, tensor]) => [`gradient of ${name}`, tensor] as const);
  return { output: built.output, ...Object.fromEntries(found) };
}

/**
 * Draws a case's inputs as float32, so that float64 and float32 compute with the same numbers.
 * @param special whether the inputs' special values are put in
 */
export function drawValues({ opCase, output, loss }: BuiltCase, random: Random, special: boolean): InputValues {
  const values = Object.entries(opCase.inputs).map(([name, spec]) => {
    const array = arrayOf(spec.dtype ?? "float32", spec.draw(random, sizeOf(spec.shape)));
    if (special) spec.special?.forEach((value, place) => (array[2 * place + 1] = value));
    return [name, array] as const;
  });
  if (loss) {
    const weight = () => random.uniform(0.5, 1.5) * (random.below(2) === 0 ? 1 : -1);
    const weights = opCase.upstream?.(random, output.size) ?? Array.from({ length: output.size }, weight);
    values.push([UPSTREAM, Float32Array.from(weights)]);
  }
  return Object.fromEntries(values);
}

/**
 * The inputs of a gradient check for a case: its loss, input values away from kinks, and the inputs to differentiate
 * by.
 */
export function gradientQuestion(built: BuiltCase, random: Random) {
  const { loss, leaves, differentiable } = built;
  return { loss: loss!, leaves, values: drawValues(built, random, false), names: differentiable };
}

export function arrayOf(dtype: DType, values: ArrayLike<number>): NumericArray {
  if (dtype === "float32") return Float32Array.from(values);
  return dtype === "uint32" ? Uint32Array.from(values) : Uint8Array.from(values);
}

/** Runs one step that computes `outputs` from the values of the leaves. */
export async function evaluate(
  backend: Backend,
  outputs: Readonly<Record<string, Tensor>>,
  leaves: Readonly<Record<string, Tensor>>,
  values: InputValues,
): Promise<Outputs> {
  const session = backend.createSession();
  try {
    const graph = defineGraph(outputs);
    const executable = await session.compile(graph);
    for (const [name, leaf] of Object.entries(leaves)) {
      if (graph.nodes.includes(leaf)) session.write(leaf, values[name]!);
    }
    const scalars = await executable.run(0, 1);
    await requireIntactGuards(executable);
    const results = Object.entries(outputs).map(
      async ([name, { size }]) => [name, size === 1 ? scalars[name]! : await executable.read(name)] as const,
    );
    return Object.fromEntries(await Promise.all(results));
  } finally {
    session.dispose();
  }
}
