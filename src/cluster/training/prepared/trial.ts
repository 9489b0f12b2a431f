/*
 * What a prepared trial of a sweep has besides what a prepared run has: the examples held out, and when training stops.
 */
import type { Dataset } from "../../../data/dataset.ts";
import type { TextDataset } from "../../../data/text/dataset.ts";
import type { RunIdentity } from "../../../train/kept-state.ts";
import type { MessageFields } from "../../messages.ts";
import { readStoredData, STORED_DATA_FIELDS, type StoredData } from "./data.ts";

/** The stopping criteria of a trial, as `fitUntil` takes them. */
export interface PreparedStopping {
  readonly minImprovement: number;
  readonly maxSeconds?: number;
  readonly patience?: number;
  readonly lossTolerance?: number;
  readonly gradientTolerance?: number;
  readonly checkEvery?: number;
}

export interface PreparedTrial {
  readonly stopping: PreparedStopping;
  /** What must be equal for the trial to continue from a checkpoint. */
  readonly identity: RunIdentity;
  readonly validation: Dataset | TextDataset;
}

/** A trial whose examples are on the server. */
export type StoredTrial = Omit<PreparedTrial, "validation"> & { readonly validation: StoredData };

export const TRIAL_FIELDS: readonly (keyof StoredTrial)[] = ["stopping", "identity", "validation"];

const NUMBERS = ["minImprovement", "maxSeconds", "lossTolerance", "gradientTolerance"] as const;
const COUNTS = ["patience", "checkEvery"] as const;

/** The most entries of an identity: the options of a run, and digests of its data. */
const MOST_ENTRIES = 300;

/** Checks the fields of a trial. What its numbers mean is checked by `fitUntil`. @throws MessageError */
export function readStoredTrial(fields: MessageFields): StoredTrial {
  const stopping = fields.object("stopping", [...NUMBERS, ...COUNTS]);
  const numbers = NUMBERS.filter((name) => stopping.has(name)).map((name) => [name, stopping.finite(name)]);
  const counts = COUNTS.filter((name) => stopping.has(name)).map((name) => [
    name,
    stopping.whole(name, 1, Number.MAX_SAFE_INTEGER),
  ]);
  const found = Object.fromEntries([...numbers, ...counts]) as Partial<PreparedStopping>;
  return {
    stopping: { ...found, minImprovement: stopping.finite("minImprovement") },
    identity: fields.record("identity", /^[a-z]\w{0,40}$/i, MOST_ENTRIES),
    validation: readStoredData(fields.object("validation", STORED_DATA_FIELDS)),
  };
}
