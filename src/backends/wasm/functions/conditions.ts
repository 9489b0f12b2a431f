/*
 * Conditions that are the same for all elements of a chain.
 */
import type { Index } from "../../../ops/wasm/indices.ts";
import type { VectorInstruction } from "../../../ops/wasm/instructions.ts";
import type { Vector } from "../../../ops/wasm/vectors.ts";

/** The instructions whose results are masks: all bits of a lane are 1, or all are 0. */
const comparisons: ReadonlySet<VectorInstruction> = new Set<VectorInstruction>([
  "i32x4.eq",
  "i32x4.lt_u",
  "f32x4.eq",
  "f32x4.ne",
  "f32x4.lt",
  "f32x4.gt",
  "f32x4.le",
  "f32x4.ge",
]);

/** The mask by which all values are selected, if it is the same for all elements. */
export function commonCondition(values: readonly Vector[]): Vector | undefined {
  const [condition, ...others] = values.map(conditionOf);
  if (!condition || condition.kind !== "instruction" || !comparisons.has(condition.name)) return undefined;
  return others.every((other) => other === condition) && isSame(condition) ? condition : undefined;
}

const isSelection = (value: Vector): value is Vector & { kind: "instruction" } =>
  value.kind === "instruction" && value.name === "v128.bitselect";

const conditionOf = (value: Vector): Vector | undefined => (isSelection(value) ? value.inputs[2] : undefined);

/** One of the two values between which a condition selects: side 0 where it is set, side 1 where it is not. */
export const sideOf = (value: Vector, side: number): Vector => (isSelection(value) ? value.inputs[side]! : value);

/** Whether a vector is the same for all elements. */
function isSame(vector: Vector): boolean {
  if (vector.kind === "constant") return true;
  if ("index" in vector) return isFixed(vector.index);
  return vector.kind === "shift" ? isSame(vector.input) : vector.inputs.every(isSame);
}

function isFixed(index: Index): boolean {
  return index.kind === "constant" || (index.kind === "stored" && isFixed(index.index));
}
