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
import { createTrainer, type Trainer } from "../../../train/index.ts";
import { messageBytes, MessageError, readMessage } from "../../messages.ts";
import { readReference, REFERENCE_FIELDS, type ObjectReference } from "../../objects.ts";
import { fetchData, readStoredData, storeData, type FetchObject, type StoreObject } from "./data.ts";
import { readSettings, SETTING_FIELDS, trainerOptionsOf, type PreparedSettings } from "./settings.ts";

export type { FetchObject, StoreObject } from "./data.ts";
export type { PreparedSettings } from "./settings.ts";

const FORMAT = 1;

/** The largest description of a prepared run, without the objects that it names. */
const MOST_BYTES = 512 * 1024;

/** What is stored of a run. */
export interface PreparedRun {
  readonly settings: PreparedSettings;
  /** Its values are not used: a run has its own. */
  readonly trained: TrainedModel;
  readonly parameters: ParameterValues;
  /** The training part. */
  readonly dataset: Dataset | TextDataset;
}

/** Stores a prepared run, and returns the reference to its description. */
export async function storePreparedRun(run: PreparedRun, store: StoreObject): Promise<ObjectReference> {
  const data = await storeData(run.dataset, store);
  const model = await store(saveModel(run.trained, run.parameters));
  return store(messageBytes({ format: FORMAT, settings: run.settings, model, data }));
}

/**
 * Fetches a prepared run.
 * @throws MessageError for an invalid description; DataError and OptionError for a model or data that are invalid
 */
export async function fetchPreparedRun(
  reference: ObjectReference,
  fetchObject: FetchObject,
): Promise<Pick<PreparedRun, "settings" | "trained" | "dataset">> {
  const where = `prepared run ${reference.object}`;
  if (reference.bytes > MOST_BYTES) throw new MessageError({ where, what: `it has ${reference.bytes} bytes` });
  const allowed = ["format", "settings", "model", "data"];
  const fields = readMessage(where, await fetchObject(reference), { most: MOST_BYTES, allowed });
  fields.literal("format", FORMAT);
  const settings = readSettings(fields.object("settings", SETTING_FIELDS));
  const stored = readStoredData(fields.object("data", ["name", "shape", "arrays"]));
  const model = readReference(fields.object("model", REFERENCE_FIELDS));
  const trained = loadModel(await fetchObject(model), where);
  return { settings, trained, dataset: await fetchData(stored, trained, fetchObject) };
}

/**
 * Creates the trainer of a prepared run.
 * @throws OptionError for settings that do not fit the model or the data
 */
export async function createPreparedTrainer(
  { settings, trained, dataset }: Pick<PreparedRun, "settings" | "trained" | "dataset">,
  backend: Backend,
): Promise<{ readonly trainer: Trainer; readonly model: Model }> {
  const { model, normalization, loss, tokenizer } = trained;
  const trainer = await createTrainer({
    ...trainerOptionsOf(settings, dataset, normalization),
    model,
    dataset,
    backend,
    loss,
    // The inputs of a model of text are tokens.
    ...(!tokenizer && { normalization }),
  });
  return { trainer, model };
}
