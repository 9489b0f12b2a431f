import type { BufferAccess } from "../../device/pipelines.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { LaunchLimits } from "../../ops/kernel.ts";
import type { DispatchDescription } from "../backend.ts";
import type { Region } from "../../compiler/regions.ts";

/** Part of a buffer, as one dispatch binds it. */
export interface Binding {
  readonly region: Region;
  readonly access: BufferAccess;
}

/** One dispatch, ready to be recorded. */
export interface Launch extends DispatchDescription {
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** The integers of a uniform buffer, whose binding follows the others; without any, there is no such binding. */
  readonly arguments: readonly number[];
  /** Whether the code needs the feature shader-f16. */
  readonly float16: boolean;
}

/** What the kernels of a step share. */
export interface StepContext {
  /** The per-step scalars, in the order of their fields in the uniform. */
  readonly scalars: readonly Tensor[];
  /** The words of each step of a submit; see `tracedTensors`. */
  readonly trace: Region;
  readonly limits: LaunchLimits;
}

/** The element that a generated function computes: the names of its parameters. */
export const OWN_PLACE = { index: "index", row: "row", column: "column" } as const;
