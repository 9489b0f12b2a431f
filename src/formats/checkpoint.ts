/*
 * A run that can go on, as a safetensors file: a model's file, which `loadModel` reads as any other, with the optimizer's
 * state beside the parameters.
 */
import { DataError } from "../errors.ts";
import { loadModel, modelMetadata, OPTIMIZER_PREFIX, type TrainedModel } from "./model.ts";
import { readSafetensors, writeSafetensors, type NamedTensor, type TensorValues } from "./safetensors.ts";

/** Values by name. */
export type Values = Readonly<Record<string, TensorValues>>;

/** What of a run is not in its model. */
export interface RunState {
  readonly parameters: Values;
  readonly optimizer: Values;
  /** Sums over the steps since the last event. */
  readonly unreported: { readonly steps: number; readonly loss: number; readonly correct: number };
  /** Whatever else the run goes on from, as plain JSON: its options, the best so far. */
  readonly run: Readonly<Record<string, unknown>>;
}

const NOT_A_CHECKPOINT = "Give a file that `wgrad train --checkpoint` wrote";

/**
 * Writes a model with the state of its training.
 * @returns the bytes of a safetensors file
 * @throws OptionError for values that do not fill their shape
 */
export function saveCheckpoint(trained: TrainedModel, { parameters, optimizer, unreported, run }: RunState): Uint8Array {
  const { steps, loss, correct } = unreported;
  return writeSafetensors([...tensorsOf("", parameters), ...tensorsOf(OPTIMIZER_PREFIX, optimizer)], {
    ...modelMetadata(trained),
    // JSON has no NaN, which is what quantities have for right predictions.
    unreported: [steps, loss, correct].join(" "),
    run: JSON.stringify(run),
  });
}

const tensorsOf = (prefix: string, values: Values): NamedTensor[] =>
  Object.entries(values).map(([name, tensor]) => ({ name: `${prefix}${name}`, ...tensor }));

/**
 * Reads a file that `saveCheckpoint` wrote.
 * @param where the file's name, for messages
 * @throws DataError for anything that `loadModel` refuses, and for a model without the state of its training
 */
export function loadCheckpoint(bytes: Uint8Array, where: string): { trained: TrainedModel; state: RunState } {
  const trained = loadModel(bytes, where);
  const { tensors, metadata } = readSafetensors(bytes, where);
  const parameters: Record<string, TensorValues> = {};
  const optimizer: Record<string, TensorValues> = {};
  for (const [name, tensor] of tensors) {
    if (name.startsWith(OPTIMIZER_PREFIX)) optimizer[name.slice(OPTIMIZER_PREFIX.length)] = tensor;
    else parameters[name] = tensor;
  }
  const unreported = unreportedOf(metadata["unreported"], where);
  return { trained, state: { parameters, optimizer, unreported, run: runOf(metadata["run"], where) } };
}

function unreportedOf(text: string | undefined, where: string): RunState["unreported"] {
  const [steps, loss, correct, ...rest] = (text ?? "").split(" ").map(Number);
  if (text === undefined || correct === undefined || rest.length > 0 || !Number.isSafeInteger(steps) || steps! < 0) {
    throw new DataError({ where, what: "this model carries no state of its training", fix: NOT_A_CHECKPOINT });
  }
  return { steps: steps!, loss: loss!, correct };
}

function runOf(text: string | undefined, where: string): RunState["run"] {
  try {
    const run: unknown = JSON.parse(text ?? "");
    if (typeof run === "object" && run !== null && !Array.isArray(run)) return run as RunState["run"];
  } catch {
    // It is refused like anything else that is no object.
  }
  throw new DataError({ where, what: 'the metadata\'s entry "run" is no JSON object', fix: NOT_A_CHECKPOINT });
}
