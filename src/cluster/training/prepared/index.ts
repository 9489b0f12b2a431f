/*
 * A prepared run: what a worker without the command line trains, such as a browser. Whoever starts the run has read the
 * options and the data, and stores the result: the settings of the trainer, the model, and the training data as arrays. A
 * trainer of a prepared run makes the steps of the run that it was prepared from, with the same bits on the same device.
 */
import type { Backend } from "../../../backends/backend.ts";
import type { Dataset } from "../../../data/dataset.ts";
import type { TextDataset } from "../../../data/text/dataset.ts";
import { loadModel, saveModel, type ParameterValues, type TrainedModel } from "../../../formats/model.ts";
import type { Model } from "../../../nn/index.ts";
import { createTrainer, type Snapshot, type Trainer, type TrainerOptions } from "../../../train/index.ts";
import { messageBytes, MessageError, readMessage } from "../../messages.ts";
import { readReference, REFERENCE_FIELDS, type ObjectReference } from "../../objects.ts";
import {
  fetchData,
  readStoredData,
  STORED_DATA_FIELDS,
  storeData,
  type FetchObject,
  type StoreObject,
} from "./data.ts";
import { readSettings, SETTING_FIELDS, trainerOptionsOf, type PreparedSettings } from "./settings.ts";
import { readStoredTrial, TRIAL_FIELDS, type PreparedTrial } from "./trial.ts";

export type { PreparedTrial } from "./trial.ts";
export { storeData } from "./data.ts";
export type { FetchObject, StoreObject } from "./data.ts";
export type { PreparedSettings } from "./settings.ts";

const FORMAT = 1;

/** The largest description of a prepared run, without the objects that it names. */
const MOST_BYTES = 512 * 1024;

/** What is stored of a run. */
export interface PreparedRun {
  readonly settings: PreparedSettings;
  readonly trained: TrainedModel;
  readonly parameters: ParameterValues;
  /** The training part. */
  readonly dataset: Dataset | TextDataset;
  /** Only a trial of a sweep has it. Then `trained` has everything that the files of its models store, and `parameters` are
   * the values from which it starts. */
  readonly trial?: PreparedTrial;
}

/**
 * Stores a prepared run, and returns the reference to its description.
 * @param dataStore stores the arrays of data sets; by default, `storeData` with `store`
 */
export async function storePreparedRun(
  run: PreparedRun,
  store: StoreObject,
  dataStore = (data: Dataset | TextDataset) => storeData(data, store),
): Promise<ObjectReference> {
  const { settings, trained, parameters, dataset, trial } = run;
  const data = await dataStore(dataset);
  const model = await store(saveModel(trained, parameters));
  const stored = trial && { trial: { ...trial, validation: await dataStore(trial.validation) } };
  return store(messageBytes({ format: FORMAT, settings, model, data, ...stored }));
}

/**
 * Fetches a prepared run.
 * @throws MessageError for an invalid description; DataError and OptionError for a model or data that are invalid
 */
export async function fetchPreparedRun(reference: ObjectReference, fetchObject: FetchObject): Promise<FetchedRun> {
  const where = `prepared run ${reference.object}`;
  if (reference.bytes > MOST_BYTES) throw new MessageError({ where, what: `it has ${reference.bytes} bytes` });
  const allowed = ["format", "settings", "model", "data", "trial"];
  const fields = readMessage(where, await fetchObject(reference), { most: MOST_BYTES, allowed });
  fields.literal("format", FORMAT);
  const settings = readSettings(fields.object("settings", SETTING_FIELDS));
  const stored = readStoredData(fields.object("data", STORED_DATA_FIELDS));
  const model = readReference(fields.object("model", REFERENCE_FIELDS));
  const trial = fields.has("trial") ? readStoredTrial(fields.object("trial", TRIAL_FIELDS)) : undefined;
  const trained = loadModel(await fetchObject(model), where);
  const found = { settings, trained, dataset: await fetchData(stored, trained, fetchObject) };
  if (!trial) return found;
  return { ...found, trial: { ...trial, validation: await fetchData(trial.validation, trained, fetchObject) } };
}

/** The parts of a prepared run from which it is trained. */
export type FetchedRun = Omit<PreparedRun, "parameters">;

/**
 * The options of the trainer of a prepared run.
 * @throws OptionError for settings that do not fit the data
 */
export function preparedTrainerOptions(
  { settings, trained, dataset, trial }: FetchedRun,
  backend: Backend,
): TrainerOptions {
  const { model, normalization, loss, tokenizer } = trained;
  return {
    ...trainerOptionsOf(settings, dataset, normalization),
    model,
    dataset,
    backend,
    loss,
    gradientNorm: trial?.stopping.gradientTolerance !== undefined,
    // The inputs of a model of text are tokens.
    ...(!tokenizer && { normalization }),
  };
}

/**
 * Creates the trainer of a prepared run.
 * @param resumeFrom where it continues; by default it begins with the values in the file of the model
 * @throws OptionError for settings that do not fit the model or the data
 */
export async function createPreparedTrainer(
  run: FetchedRun,
  backend: Backend,
  resumeFrom?: Snapshot,
): Promise<{ readonly trainer: Trainer; readonly model: Model }> {
  const trainer = await createTrainer({ ...preparedTrainerOptions(run, backend), resumeFrom });
  return { trainer, model: run.trained.model };
}
