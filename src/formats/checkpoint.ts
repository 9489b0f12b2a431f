/*
 * Checkpoints, which a run can continue from, as safetensors files: a model file, which `loadModel` can read, with the
 * optimizer's state beside the parameters.
 */
import { DataError } from "../errors.ts";
import type { FunctionalExtensions } from "../nn/model-config.ts";
import {
  modelMetadata,
  modelOfFile,
  OPTIMIZER_PREFIX,
  writeModelFile,
  type AnyTrainedModel,
  type TrainedFunctionalModel,
  type TrainedModel,
} from "./model.ts";
import { readSafetensors, type NamedTensor, type TensorValues } from "./safetensors.ts";

/** Values by name. */
export type Values = Readonly<Record<string, TensorValues>>;

/** The state of a run that is not part of its model. */
export interface RunState {
  readonly parameters: Values;
  readonly optimizer: Values;
  /** Sums over the steps since the last event. */
  readonly unreported: {
    readonly steps: number;
    readonly loss: number;
    readonly correct: number;
    readonly gradientNorm: number;
  };
  /** The best state of a run with `patience`, which may be restored later. */
  readonly best?: { readonly step: number; readonly parameters: Values; readonly optimizer: Values };
  /** Everything else that the run needs to continue, such as its options, as plain JSON. */
  readonly run: Readonly<Record<string, unknown>>;
}

/** The prefix of the names of the best state's tensors. */
const BEST_PREFIX = `${OPTIMIZER_PREFIX}best.`;

const NOT_A_CHECKPOINT = "Give a checkpoint that wgrad wrote";

/**
 * Writes a model with the state of its training.
 * @returns the bytes of a safetensors file
 * @throws OptionError for values that do not match their shape
 */
export function saveCheckpoint(
  trained: AnyTrainedModel,
  { parameters, optimizer, unreported, best, run }: RunState,
): Uint8Array {
  const { steps, loss, correct, gradientNorm } = unreported;
  const tensors = [
    ...valuesAsTensors("", { parameters, optimizer }),
    ...(best ? valuesAsTensors(BEST_PREFIX, best) : []),
  ];
  return writeModelFile(tensors, {
    ...modelMetadata(trained),
    // JSON has no NaN, which is the number of correct predictions in regression.
    unreported: [steps, loss, correct, gradientNorm].join(" "),
    ...(best && { best: String(best.step) }),
    run: JSON.stringify(run),
  });
}

type State = Pick<RunState, "parameters" | "optimizer">;

const valuesAsTensors = (prefix: string, { parameters, optimizer }: State): NamedTensor[] => [
  ...tensorsOf(prefix, parameters),
  ...tensorsOf(`${prefix}${OPTIMIZER_PREFIX}`, optimizer),
];

const tensorsOf = (prefix: string, values: Values): NamedTensor[] =>
  Object.entries(values).map(([name, tensor]) => ({ name: `${prefix}${name}`, ...tensor }));

/**
 * Reads a file that `saveCheckpoint` wrote.
 * @param where the file's name, for messages
 * @param extensions the function of a functional model
 * @throws DataError for anything that `loadModel` refuses, and for a model without the state of its training
 */
export function loadCheckpoint(bytes: Uint8Array, where: string): { trained: TrainedModel; state: RunState };
export function loadCheckpoint<Input extends string, Output extends string>(
  bytes: Uint8Array,
  where: string,
  extensions: FunctionalExtensions<Input, Output>,
): { trained: TrainedFunctionalModel<Input, Output>; state: RunState };
export function loadCheckpoint(
  bytes: Uint8Array,
  where: string,
  extensions?: FunctionalExtensions,
): { trained: AnyTrainedModel; state: RunState } {
  const file = readSafetensors(bytes, where);
  const trained = modelOfFile(file, where, extensions);
  const { tensors, metadata } = file;
  const isOfBest = (name: string) => name.startsWith(BEST_PREFIX);
  const all = [...tensors];
  const ofBest = all
    .filter(([name]) => isOfBest(name))
    .map(([name, tensor]) => [name.slice(BEST_PREFIX.length), tensor] as const);
  const best =
    metadata["best"] === undefined ? undefined : { step: stepOf(metadata["best"], where), ...stateOf(ofBest) };
  const state = {
    ...stateOf(all.filter(([name]) => !isOfBest(name))),
    unreported: unreportedOf(metadata["unreported"], where),
    best,
    run: runOf(metadata["run"], where),
  };
  return { trained, state };
}

function stateOf(tensors: readonly (readonly [name: string, tensor: TensorValues])[]): State {
  const isOptimizer = (name: string) => name.startsWith(OPTIMIZER_PREFIX);
  return {
    parameters: Object.fromEntries(tensors.filter(([name]) => !isOptimizer(name))),
    optimizer: Object.fromEntries(
      tensors
        .filter(([name]) => isOptimizer(name))
        .map(([name, tensor]) => [name.slice(OPTIMIZER_PREFIX.length), tensor]),
    ),
  };
}

function stepOf(text: string, where: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new DataError({
    where,
    what: `the metadata's entry "best" is ${JSON.stringify(text).slice(0, 60)}, not a step`,
    fix: NOT_A_CHECKPOINT,
  });
}

function unreportedOf(text: string | undefined, where: string): RunState["unreported"] {
  const [steps, loss, correct, gradientNorm, ...rest] = (text ?? "").split(" ").map(Number);
  if (
    text === undefined ||
    gradientNorm === undefined ||
    rest.length > 0 ||
    !Number.isSafeInteger(steps) ||
    steps! < 0
  ) {
    throw new DataError({ where, what: "this is a model without the state of its training", fix: NOT_A_CHECKPOINT });
  }
  return { steps: steps!, loss: loss!, correct: correct!, gradientNorm };
}

function runOf(text: string | undefined, where: string): RunState["run"] {
  try {
    const run: unknown = JSON.parse(text ?? "");
    if (typeof run === "object" && run !== null && !Array.isArray(run)) return run as RunState["run"];
  } catch {
    // Handled below like anything else that is not an object.
  }
  throw new DataError({ where, what: 'the metadata\'s entry "run" is not a JSON object', fix: NOT_A_CHECKPOINT });
}
