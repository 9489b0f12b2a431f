/*
 * The state of a worker's optimizer as an object on the server: a safetensors file.
 */
import { readSafetensors, writeSafetensors } from "../../formats/safetensors.ts";
import type { Snapshot } from "../../train/index.ts";
import { MessageError } from "../messages.ts";

/** The state of a worker's optimizer: its vectors, and the number of steps, on which bias corrections depend. */
export type OptimizerState = Pick<Snapshot, "step" | "optimizer">;

/** Writes a state. */
export function stateBytes({ step, optimizer }: OptimizerState): Uint8Array {
  const tensors = Object.entries(optimizer).map(([name, { shape, values }]) => ({ name, shape, values }));
  return writeSafetensors(tensors, { step: String(step) });
}

/** Reads a state. @throws DataError for anything that `stateBytes` does not write */
export function readState(where: string, bytes: Uint8Array): OptimizerState {
  const { tensors, metadata } = readSafetensors(bytes, where);
  const { step = "" } = metadata;
  if (!/^\d{1,15}$/.test(step)) throw new MessageError({ where, what: "it has no number of steps" });
  return { step: Number(step), optimizer: Object.fromEntries(tensors) };
}
