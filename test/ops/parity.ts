/*
 * A backend in float32 against the CPU in float64, with new inputs from a seed.
 */
import type { Backend, NumericArray } from "../../src/backends/backend.ts";
import type { DType, Tensor } from "../../src/graph/tensor.ts";
import { Random, randomKey } from "../../src/random.ts";
import { SMALLEST_NORMAL, UNIT_ROUNDOFF } from "./accuracy.ts";
import { gradientTolerance, type InputValues, type OpCase, type Tolerance } from "./cases.ts";
import { buildCase, caseOutputs, drawValues, evaluate, type Outputs } from "./evaluate.ts";
import { judge } from "./gradient-check.ts";

/** WGRAD_SEED repeats a run. Without it, and in a page, every run draws other inputs. */
export const seed = Number(globalThis.process?.env["WGRAD_SEED"] ?? Date.now() % 2 ** 32);

/** A case with inputs and expected results, computed in float64. */
export interface JudgedCase {
  readonly opCase: OpCase;
  readonly leaves: Readonly<Record<string, Tensor>>;
  /** Those of `caseOutputs`. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly values: InputValues;
  readonly reference: Outputs;
}

/** Draws a case's inputs from the seed and the case's name, and computes the reference. */
export async function judgeCase(opCase: OpCase, caseSeed: number): Promise<JudgedCase> {
  const built = buildCase(opCase);
  const outputs = caseOutputs(built);
  const letters = Array.from(opCase.name, (letter) => letter.codePointAt(0)!);
  const values = drawValues(built, new Random(caseSeed, randomKey(...letters)), true);
  const reference = await evaluate(judge, outputs, built.leaves, values);
  return { opCase, leaves: built.leaves, outputs, values, reference };
}

/** Runs a case on a backend, output by output. */
export const runJudged = (backend: Backend, { outputs, leaves, values }: JudgedCase): Promise<Outputs> =>
  evaluate(backend, outputs, leaves, values);

/** How an output of a case is compared. */
export function toleranceOf(opCase: OpCase, output: string): Tolerance | "exact" {
  if (output === "output") return opCase.tolerance;
  const joined = opCase.differentiable![output.slice("gradient of ".length)]!;
  return { ...gradientTolerance(joined), ...opCase.gradientTolerance };
}

function largestOf(values: NumericArray): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}

type PerElement = (element: number) => number;

/** The size that the bound of each element is relative to. */
export function scaleOf(tolerance: Tolerance, reference: NumericArray): PerElement {
  const { scale = "largest", term = 0, joined = 1 } = tolerance;
  if (scale === "each") return (element) => Math.abs(reference[element]!);
  const largest = Math.max(largestOf(reference), term * Math.sqrt(joined));
  return () => largest;
}

/** The largest allowed error of each element of an output. */
function boundsOf(tolerance: Tolerance | "exact", reference: NumericArray, values: InputValues): PerElement {
  if (tolerance === "exact") return () => 0;
  const { c, joined = 1 } = tolerance;
  const scale = scaleOf(tolerance, reference);
  return (element) =>
    c * UNIT_ROUNDOFF * Math.sqrt(joined) * scale(element) +
    (tolerance.functionError?.(reference[element]!, element, values) ?? 0) +
    SMALLEST_NORMAL;
}

/**
 * Compares every element of one output with the reference.
 * @returns the largest error as a fraction of its bound; 0 where the output is exact
 * @throws Error naming case, output, element, both values and the bound
 */
export function check(judged: JudgedCase, output: string, actual: NumericArray): number {
  const { opCase, outputs, values, reference } = judged;
  const expected = reference[output]!;
  if (actual.length !== expected.length) {
    throw new Error(`${opCase.name}, ${output}: ${actual.length} elements came back, ${expected.length} were expected`);
  }
  const { dtype, shape } = outputs[output]!;
  const tolerance = dtype === "float32" ? toleranceOf(opCase, output) : "exact";
  const bounds = boundsOf(tolerance, expected, values);
  let largest = 0;
  for (let element = 0; element < expected.length; element++) {
    const wanted = tolerance === "exact" ? rounded(expected[element]!, dtype) : expected[element]!;
    const error = Math.abs(actual[element]! - wanted);
    const bound = bounds(element);
    // Not `error > bound`, which would accept NaN.
    if (!(error <= bound)) {
      throw new Error(
        `${opCase.name}, ${output}: element ${element} of [${shape.join(", ")}] is ${actual[element]}, ` +
          `the reference is ${wanted}; the error ${error} is above the bound ${bound}`,
      );
    }
    if (error > 0) largest = Math.max(largest, error / bound);
  }
  return largest;
}

const rounded = (value: number, dtype: DType) => (dtype === "float32" ? Math.fround(value) : value);

/** The largest error of each op as a fraction of its bound, for one table at the end of a run. */
export class ErrorTable {
  readonly #rows = new Map<string, { output: number; gradient: number }>();

  record({ covers }: OpCase, output: string, fraction: number): void {
    for (const op of covers) {
      const row = this.#rows.get(op) ?? { output: 0, gradient: 0 };
      const column = output === "output" ? "output" : "gradient";
      row[column] = Math.max(row[column], fraction);
      this.#rows.set(op, row);
    }
  }

  toString(): string {
    const cells = [...this.#rows].map(
      ([op, { output, gradient }]) => `${op.padEnd(26)} ${output.toFixed(3)} ${gradient.toFixed(3)}`,
    );
    const lines = Array.from({ length: Math.ceil(cells.length / 3) }, (_, line) =>
      cells.slice(3 * line, 3 * line + 3).join("   "),
    );
    return ["op, then its largest error and its gradients' as fractions of their bounds:", ...lines].join("\n");
  }
}
