/*
 * What a checkpoint keeps of a run besides the state of its trainer: which run it is, and the state of early stopping.
 */
import type { CheckpointState, LoadedState } from "../formats/checkpoint.ts";
import type { StoppingMemory, StoppingState } from "./stopping-options.ts";

/** What must be equal for a run to resume from a checkpoint: every option that a step depends on, and the data. */
export type RunIdentity = Readonly<Record<string, unknown>>;

export const identityIn = (kept: unknown) => (typeof kept === "object" && kept !== null ? kept : {}) as RunIdentity;

/** The names of the entries in which two identities differ. */
export function differencesOf(before: RunIdentity, now: RunIdentity): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
}

/** Whether the identity in a checkpoint is that of a run. */
export const isSameRun = (kept: unknown, now: RunIdentity): boolean =>
  differencesOf(identityIn(kept), now).length === 0;

/** The state of early stopping as JSON; the best parameters are stored as tensors. */
type KeptStopping = Omit<StoppingState, "best"> & { readonly bestLoss?: number };

/** The state of early stopping for a checkpoint: what its `run` stores, and the best snapshot. */
export function keptStopping({ state }: StoppingMemory): {
  readonly run: { readonly stopping?: KeptStopping };
  readonly state: Pick<CheckpointState, "best">;
} {
  if (!state) return { run: {}, state: {} };
  const { best, ...stopping } = state;
  return {
    run: { stopping: { ...stopping, ...(best && { bestLoss: best.loss }) } },
    state: best ? { best: best.snapshot } : {},
  };
}

/** Reads what `keptStopping` wrote; undefined if the checkpoint has no state of early stopping. */
export function readStopping(run: LoadedState["run"], best: LoadedState["best"]): StoppingState | undefined {
  const kept = run["stopping"] as KeptStopping | undefined;
  if (!kept) return undefined;
  const { bestLoss = Infinity, ...state } = kept;
  return { ...state, ...(best && { best: { loss: bestLoss, snapshot: best } }) };
}
