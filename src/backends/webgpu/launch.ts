import type { BufferAccess } from "../../device/pipelines.ts";
import type { DispatchDescription } from "../backend.ts";
import type { Region } from "../../compiler/plan.ts";

export interface Binding {
  readonly region: Region;
  readonly access: BufferAccess;
}

/** One dispatch, ready to be recorded. */
export interface Launch extends DispatchDescription {
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** The code needs the feature shader-f16. */
  readonly float16: boolean;
}

/** The names under which a generated function knows where it is. */
export const OWN_PLACE = { index: "index", row: "row", column: "column" } as const;

/** Elements; a binding may start at any multiple of 256 bytes. */
export const ALIGNMENT = 64;
