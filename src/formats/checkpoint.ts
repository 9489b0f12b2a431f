/*
 * Checkpoints, which a run can continue from, as safetensors files: a model file, which `loadModel` can read, with the
 * optimizer's state beside the parameters.
 */
import { DataError, OptionError } from "../errors.ts";
import type { FunctionalExtensions } from "../nn/model-config.ts";
import { isJson, parseJson } from "./json.ts";
import { isRecord } from "../nn/checks.ts";
import { withDefaults, type AnyModelToSave } from "./model-to-save.ts";
import {
  modelMetadata,
  modelOfFile,
  OPTIMIZER_PREFIX,
  requireLoadable,
  writeModelFile,
  type AnyExtensions,
  type AnyTrainedModel,
  type FileExtensions,
  type ParameterValues,
  type TrainedFunctionalModel,
  type TrainedModel,
} from "./model.ts";
import { readSafetensors, type NamedTensor, type TensorValues } from "./safetensors.ts";

/** The state of a run in a checkpoint file: a `Checkpoint` of `fit`, or a `Snapshot` that was taken outside `fit`. */
export interface CheckpointState {
  /** The number of steps that were made. It must be that of the trained model. */
  readonly step?: number;
  readonly parameters: ParameterValues;
  readonly optimizer: ParameterValues;
  /** The position of a stream that saves it, as plain JSON. */
  readonly stream?: unknown;
  /** Sums over the steps since the last event. */
  readonly unreported: {
    readonly steps: number;
    readonly loss: number;
    readonly correct: number;
    readonly gradientNorm: number;
    readonly metrics?: Readonly<Record<string, number>>;
  };
  /** The best state of a run with `patience`, which may be restored later. */
  readonly best?: Required<Pick<CheckpointState, "step">> &
    Pick<CheckpointState, "parameters" | "optimizer" | "stream">;
  /** Anything else that the program needs to continue, such as its options, as plain JSON; nothing by default. */
  readonly run?: Readonly<Record<string, unknown>>;
}

/** The state that `loadCheckpoint` reads. `createTrainer` takes it as `resumeFrom`. */
export type LoadedState = CheckpointState & Required<Pick<CheckpointState, "step" | "run">>;

/** The prefix of the names of the best state's tensors. */
const BEST_PREFIX = `${OPTIMIZER_PREFIX}best.`;

const NOT_A_CHECKPOINT = "Give a checkpoint that wgrad wrote";

/**
 * Writes a model with the state of its training, so that a run continues from the file with the same bits. `loadModel`
 * reads the file, too.
 *
 * @example
 * ```ts
 * const save = async (checkpoint: Checkpoint) => {
 *   const bytes = saveCheckpoint({ model, step: checkpoint.step }, checkpoint);
 *   await writeFile("run.safetensors", bytes);
 * };
 * for await (const { step, loss } of trainer.fit({ checkpoint: { everySteps: 100, save } })) console.log(step, loss);
 * ```
 *
 * @param given as for `saveModel`
 * @returns the bytes of a safetensors file
 * @throws OptionError or GraphError for anything that `saveModel` refuses; OptionError for a snapshot that was taken
 * during `fit`, which has no `unreported`, a model of another step, and a position of a stream that is not plain JSON
 */
export function saveCheckpoint(given: AnyModelToSave, state: CheckpointState): Uint8Array {
  const trained = withDefaults(given);
  const { parameters, optimizer, stream, unreported, best, run = {} } = state;
  requireComplete(trained, state);
  const { steps, loss, correct, gradientNorm, metrics } = unreported;
  const tensors = [
    ...valuesAsTensors("", { parameters, optimizer }),
    ...(best ? valuesAsTensors(BEST_PREFIX, best) : []),
  ];
  const metadata = modelMetadata(trained);
  requireLoadable("saveCheckpoint", trained, parameters, metadata);
  return writeModelFile(tensors, {
    ...metadata,
    // JSON has no NaN, which is the number of correct predictions in regression.
    unreported: [steps, loss, correct, gradientNorm].map(numberText).join(" "),
    ...(metrics && { unreportedMetrics: metricsText(metrics) }),
    ...(stream !== undefined && { stream: positionText(stream) }),
    ...(best && { best: String(best.step) }),
    ...(best?.stream !== undefined && { bestStream: positionText(best.stream) }),
    run: JSON.stringify(run),
  });
}

function requireComplete(trained: AnyTrainedModel, { step = trained.step, unreported }: CheckpointState): void {
  const where = "saveCheckpoint";
  if (step !== trained.step) {
    const what = `the state is that of step ${step}, but the model is that of step ${trained.step}`;
    throw new OptionError({ where, what, fix: "Give the model the step of the state" });
  }
  if (unreported as unknown) return;
  const what = "the state has no unreported metrics";
  throw new OptionError({ where, what, fix: "Take it with the option checkpoint of fit, or when no fit is running" });
}

/** A number as text, which `Number` reads with the same bits. */
const numberText = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

const metricsText = (metrics: Readonly<Record<string, number>>): string =>
  JSON.stringify(Object.fromEntries(Object.entries(metrics).map(([name, sum]) => [name, numberText(sum)])));

/** @throws OptionError for a position that would not be read as it is */
function positionText(position: unknown): string {
  const text = isJson(position) ? JSON.stringify(position) : undefined;
  const parsed = text === undefined ? { fault: "is not plain JSON" } : parseJson(text);
  if (!("fault" in parsed)) return text!;
  const fix = "Return null, finite numbers, strings, lists and objects of these from saveState";
  throw new OptionError({ where: "saveCheckpoint", what: `the position of the stream ${parsed.fault}`, fix });
}

type State = Pick<CheckpointState, "parameters" | "optimizer">;

const valuesAsTensors = (prefix: string, { parameters, optimizer }: State): NamedTensor[] => [
  ...tensorsOf(prefix, parameters),
  ...tensorsOf(`${prefix}${OPTIMIZER_PREFIX}`, optimizer),
];

const tensorsOf = (prefix: string, values: ParameterValues): NamedTensor[] =>
  Object.entries(values).map(([name, tensor]) => ({ name: `${prefix}${name}`, ...tensor }));

/**
 * Reads a file that `saveCheckpoint` wrote.
 *
 * @example
 * ```ts
 * const { trained, state } = loadCheckpoint(await readFile("run.safetensors"), "run.safetensors", { modelFunction });
 * const trainer = await createTrainer({ ...options, model: trained.model, resumeFrom: state });
 * ```
 *
 * @param where the file's name, for messages
 * @param extensions as for `loadModel`: custom layers, activations and losses, or the function of a functional model
 * @throws DataError for anything that `loadModel` refuses, for a model without the state of its training, and for a
 * state that is damaged
 */
export function loadCheckpoint(
  bytes: Uint8Array,
  where: string,
  extensions?: FileExtensions,
): { trained: TrainedModel; state: LoadedState };
export function loadCheckpoint<Input extends string, Output extends string>(
  bytes: Uint8Array,
  where: string,
  extensions: FunctionalExtensions<Input, Output>,
): { trained: TrainedFunctionalModel<Input, Output>; state: LoadedState };
export function loadCheckpoint(
  bytes: Uint8Array,
  where: string,
  extensions?: AnyExtensions,
): { trained: AnyTrainedModel; state: LoadedState } {
  const file = readSafetensors(bytes, where);
  const trained = modelOfFile(file, where, extensions);
  const { tensors, metadata } = file;
  const isOfBest = (name: string) => name.startsWith(BEST_PREFIX);
  const all = [...tensors];
  const ofBest = all
    .filter(([name]) => isOfBest(name))
    .map(([name, tensor]) => [name.slice(BEST_PREFIX.length), tensor] as const);
  const best = metadata["best"] !== undefined && {
    step: stepOf(metadata["best"], where),
    ...stateOf(ofBest),
    ...streamOf("bestStream", metadata, where),
  };
  const state = {
    step: trained.step,
    ...stateOf(all.filter(([name]) => !isOfBest(name))),
    ...streamOf("stream", metadata, where),
    unreported: {
      ...unreportedOf(metadata["unreported"], where),
      ...metricsOf(metadata["unreportedMetrics"], where),
    },
    ...(best && { best }),
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

function unreportedOf(text: string | undefined, where: string): CheckpointState["unreported"] {
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

/** The sums of the metrics of the user, if there are any. */
function metricsOf(text: string | undefined, where: string): Pick<CheckpointState["unreported"], "metrics"> {
  if (text === undefined) return {};
  const parsed = parseJson(text);
  const sums: unknown = "fault" in parsed ? undefined : parsed.value;
  const isSum = ([name, sum]: [string, unknown]) =>
    /^[A-Za-z]\w*$/.test(name) && typeof sum === "string" && numberText(Number(sum)) === sum;
  if (!isRecord(sums) || !Object.entries(sums).every(isSum)) {
    const what = 'the metadata\'s entry "unreportedMetrics" is not an object of numbers as text';
    throw new DataError({ where, what, fix: NOT_A_CHECKPOINT });
  }
  return { metrics: Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, Number(sum)])) };
}

/** The position of a stream, if there is one. Only its source can tell whether it is a possible one. */
function streamOf(
  entry: "stream" | "bestStream",
  metadata: Readonly<Record<string, string>>,
  where: string,
): Pick<CheckpointState, "stream"> {
  const text = metadata[entry];
  if (text === undefined) return {};
  const parsed = parseJson(text);
  if (!("fault" in parsed)) return { stream: parsed.value };
  throw new DataError({ where, what: `the metadata's entry "${entry}" ${parsed.fault}`, fix: NOT_A_CHECKPOINT });
}

function runOf(text: string | undefined, where: string): LoadedState["run"] {
  try {
    const run: unknown = JSON.parse(text ?? "");
    if (isRecord(run)) return run;
  } catch {
    // Handled below like anything else that is not an object.
  }
  throw new DataError({ where, what: 'the metadata\'s entry "run" is not a JSON object', fix: NOT_A_CHECKPOINT });
}
