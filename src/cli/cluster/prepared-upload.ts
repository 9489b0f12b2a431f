/*
 * Stores runs and trials in the form that browsers train.
 */
import type { ObjectBucket, ObjectReference } from "../../cluster/objects.ts";
import { preparedListBytes } from "../../cluster/sweeps/description.ts";
import {
  storeData,
  storePreparedRun,
  type PreparedRun,
  type PreparedSettings,
} from "../../cluster/training/prepared/index.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { TextDataset } from "../../data/text/dataset.ts";
import { initialValues } from "../../formats/model.ts";
import type { TrainFlags } from "../options/train-options.ts";
import type { Changes } from "../sweep/sweep-plan.ts";
import { TrialData, trialFlags } from "../sweep/trial-data.ts";
import { amountsOf } from "../training/augmentation.ts";
import { runIdentity } from "../training/checkpointing.ts";
import { batchSizeOf, stepOptions } from "../training/network.ts";
import { epochsOf, modelOf, trainedModel, type Run, type Subject } from "../training/training-run.ts";

/** Stores the settings, the model and the training data of a run, unless the server has them. */
export async function uploadPrepared(
  run: Run,
  subject: Subject,
  bucket: Pick<ObjectBucket, "putPacked">,
): Promise<ObjectReference> {
  // Not the options and the names of files on this machine.
  const { model, loss, normalization, classes, outputs, tokenizer } = trainedModel(run, subject, 0);
  const trained = {
    model,
    loss,
    normalization,
    classes,
    step: 0,
    training: {},
    ...(outputs && { outputs }),
    ...(tokenizer && { tokenizer }),
  };
  const { parameters } = await subject.trainer.snapshot();
  const store = (bytes: Uint8Array) => bucket.putPacked(bytes);
  return storePreparedRun({ settings: settingsOf(run), trained, parameters, dataset: run.data.train }, store);
}

/** The runs of a sweep. */
export interface PlannedTrials {
  /** The options that all runs share, their values in the form of a configuration file, and the model of --init. */
  readonly flags: TrainFlags;
  readonly configuration: Run["configuration"];
  readonly start: Run["start"];
  /** The options in which each run differs. */
  readonly runs: readonly Changes[];
  /** Whether runs are compared at rungs. */
  readonly hasRungs: boolean;
}

/** Stores the runs of a sweep, unless the server has them. @returns the reference to the list of them */
export async function uploadPreparedTrials(
  { flags: common, configuration, start, runs, hasRungs }: PlannedTrials,
  bucket: Pick<ObjectBucket, "putPacked">,
): Promise<ObjectReference> {
  const store = (bytes: Uint8Array) => bucket.putPacked(bytes);
  const stored = new Map<Dataset | TextDataset, ReturnType<typeof storeData>>();
  const storeOnce = (data: Dataset | TextDataset) => {
    const known = stored.get(data) ?? storeData(data, store);
    stored.set(data, known);
    return known;
  };
  const trialData = new TrialData();
  const references: ObjectReference[] = [];
  for (const changes of runs) {
    const flags = { ...common, ...changes } as TrainFlags;
    const data = await trialData.of(flags, start);
    const run = {
      flags: trialFlags(flags, data, hasRungs),
      configuration: { ...configuration, ...changes },
      data,
      start,
    };
    references.push(await storePreparedRun(preparedTrial(run), store, storeOnce));
  }
  return store(preparedListBytes(references));
}

function preparedTrial(run: Omit<Run, "backend">): PreparedRun {
  const { flags, data, configuration } = run;
  const { minImprovement, maxSeconds, patience, lossTolerance, gradientTolerance, checkEvery } = flags;
  const model = modelOf(run);
  return {
    settings: settingsOf(run),
    trained: trainedModel(run, { model, trainer: { batchSize: batchSizeOf(flags, data.train.count) } }, 0),
    parameters: initialValues(model),
    dataset: data.train,
    trial: {
      stopping: { minImprovement, ...given({ maxSeconds, patience, lossTolerance, gradientTolerance, checkEvery }) },
      identity: runIdentity(configuration, data),
      // Runs of a sweep are compared on held-out examples.
      validation: data.validation!,
    },
  };
}

function settingsOf(run: Omit<Run, "backend">): PreparedSettings {
  const { flags, data } = run;
  const { optimizer, weightDecay, beta2, momentumForm, schedule, warmup, rise, finalRate, augment } = flags;
  const {
    batchSize,
    seed = 1,
    precision = "float32",
    clipNorm,
    recompute,
    activationStorage,
  } = stepOptions(flags, data.train.count);
  const { classWeights } = flags;
  return {
    optimizer: { name: optimizer, ...given({ weightDecay, beta2, form: momentumForm }) },
    learningRate: flags.lr,
    schedule: { name: schedule, warmup, ...given({ rise, final: finalRate }) },
    batchSize,
    epochs: epochsOf(run),
    seed,
    precision,
    onNonFinite: flags.onNan,
    ...given({ maxSteps: flags.maxSteps, clipNorm, recompute, activationStorage }),
    ...(augment !== undefined && augment !== "none" && { augment: Object.fromEntries(amountsOf(augment)) }),
    ...(classWeights !== undefined && classWeights !== "none" && { classWeights }),
  };
}

/** The options that have a value. */
function given<Options extends object>(options: Options): { [Name in keyof Options]?: NonNullable<Options[Name]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Options]?: NonNullable<Options[Name]>;
  };
}
