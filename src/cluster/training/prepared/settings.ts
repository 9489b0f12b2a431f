/*
 * The settings of a prepared run: the options of a trainer, with plain values in place of functions.
 */
import type { AnyDataset, Normalization } from "../../../data/dataset.ts";
import { isText } from "../../../data/text/windows.ts";
import {
  momentumForms,
  optimizers,
  schedules,
  type AdamWOptions,
  type MomentumForm,
  type MomentumOptions,
  type OneCycleOptions,
  type Optimizer,
  type RestartOptions,
  type Schedule,
} from "../../../nn/index.ts";
import { activationStorages, precisions, type ActivationStorage, type Precision } from "../../../precisions.ts";
import { augmentationNames, augmentationsOf, contextOf } from "../../../train/augmentation-amounts.ts";
import { nonFiniteChoices, type NonFiniteChoice, type TrainerOptions } from "../../../train/index.ts";
import { MessageError, type MessageFields } from "../../messages.ts";

const { warmup: warmedUp, ...decays } = schedules;
const { adagrad, adam, adamW, lion, momentum, muon, nesterov, rmsprop, sgd } = optimizers;
const makers = { adagrad, adam, adamW, lion, momentum, muon, nesterov, rmsprop, sgd };

type OptimizerName = keyof typeof makers;
type ScheduleName = keyof typeof decays;

const optimizerNames = Object.keys(makers) as OptimizerName[];
const scheduleNames = Object.keys(decays) as ScheduleName[];

/** How a prepared run trains. An absent option has the default of `createTrainer`. */
export interface PreparedSettings {
  readonly optimizer: {
    readonly name: OptimizerName;
    readonly weightDecay?: number;
    readonly beta2?: number;
    readonly form?: MomentumForm;
  };
  readonly learningRate: number;
  readonly schedule: {
    readonly name: ScheduleName;
    /** The number of steps of linear warmup before the schedule; 0 for none. */
    readonly warmup: number;
    readonly rise?: number;
    readonly final?: number;
  };
  readonly batchSize: number | "full";
  readonly epochs: number;
  readonly maxSteps?: number;
  readonly seed: number;
  readonly precision: Precision;
  readonly activationStorage?: ActivationStorage;
  readonly clipNorm?: number;
  readonly recompute?: number;
  readonly onNonFinite: NonFiniteChoice;
  /** The amount of each augmentation, in their order. */
  readonly augment?: Readonly<Record<string, number>>;
  readonly classWeights?: "balanced" | readonly number[];
}

export const SETTING_FIELDS: readonly (keyof PreparedSettings)[] = [
  "optimizer",
  "learningRate",
  "schedule",
  "batchSize",
  "epochs",
  "maxSteps",
  "seed",
  "precision",
  "activationStorage",
  "clipNorm",
  "recompute",
  "onNonFinite",
  "augment",
  "classWeights",
];

const MOST_STEPS = Number.MAX_SAFE_INTEGER;

/** Checks the fields of settings. What their values mean is checked by `trainerOptionsOf`. @throws MessageError */
export function readSettings(fields: MessageFields): PreparedSettings {
  const optimizer = fields.object("optimizer", ["name", "weightDecay", "beta2", "form"]);
  const schedule = fields.object("schedule", ["name", "warmup", "rise", "final"]);
  return {
    optimizer: {
      name: optimizer.oneOf("name", optimizerNames),
      ...finiteOptions(optimizer, ["weightDecay", "beta2"]),
      ...(optimizer.has("form") && { form: optimizer.oneOf("form", momentumForms) }),
    },
    learningRate: fields.finite("learningRate"),
    schedule: {
      name: schedule.oneOf("name", scheduleNames),
      warmup: schedule.whole("warmup", 0, MOST_STEPS),
      ...finiteOptions(schedule, ["rise", "final"]),
    },
    batchSize: fields.isText("batchSize")
      ? fields.oneOf("batchSize", ["full"] as const)
      : fields.whole("batchSize", 1, 2 ** 31),
    epochs: fields.whole("epochs", 1, MOST_STEPS),
    ...(fields.has("maxSteps") && { maxSteps: fields.whole("maxSteps", 1, MOST_STEPS) }),
    seed: fields.whole("seed", 0, MOST_STEPS),
    precision: fields.oneOf("precision", precisions),
    ...(fields.has("activationStorage") && {
      activationStorage: fields.oneOf("activationStorage", activationStorages),
    }),
    ...finiteOptions(fields, ["clipNorm"]),
    ...(fields.has("recompute") && { recompute: fields.whole("recompute", 1, 1000) }),
    onNonFinite: fields.oneOf("onNonFinite", nonFiniteChoices),
    ...(fields.has("augment") && { augment: readAugment(fields) }),
    ...(fields.has("classWeights") && { classWeights: readClassWeights(fields) }),
  };
}

/** Those of the named options that are there. */
function finiteOptions<Name extends string>(fields: MessageFields, names: readonly Name[]): { [Key in Name]?: number } {
  const given = names.filter((name) => fields.has(name));
  return Object.fromEntries(given.map((name) => [name, fields.finite(name)])) as { [Key in Name]?: number };
}

function readAugment(fields: MessageFields): Record<string, number> {
  const names = Object.keys(fields.record("augment", /^[a-z]+$/, augmentationNames.length));
  const amounts = fields.object("augment", augmentationNames);
  return Object.fromEntries(names.map((name) => [name, amounts.finite(name)]));
}

const readClassWeights = (fields: MessageFields): "balanced" | number[] =>
  fields.isText("classWeights")
    ? fields.oneOf("classWeights", ["balanced"] as const)
    : fields.numbers("classWeights", 65_536);

/**
 * The options of a trainer that settings stand for.
 * @throws OptionError for values outside their ranges, as the functions that they stand for do
 */
export function trainerOptionsOf(
  settings: PreparedSettings,
  dataset: AnyDataset,
  normalization: Normalization,
): Omit<TrainerOptions, "model" | "dataset" | "backend" | "loss" | "normalization"> {
  const { optimizer, schedule, augment, ...rest } = settings;
  return {
    ...rest,
    optimizer: optimizerOf(optimizer),
    schedule: scheduleOf(schedule),
    ...(augment && { augment: augmentOf(augment, dataset, normalization) }),
  };
}

function optimizerOf({ name, ...options }: PreparedSettings["optimizer"]): Optimizer {
  const make: (options: AdamWOptions & MomentumOptions) => Optimizer = makers[name];
  return make(options);
}

function scheduleOf({ name, warmup, ...options }: PreparedSettings["schedule"]): Schedule {
  const make: (options: RestartOptions & OneCycleOptions) => Schedule = decays[name];
  const decay = make(options);
  return warmup > 0 ? warmedUp(warmup, decay) : decay;
}

function augmentOf(
  amounts: NonNullable<PreparedSettings["augment"]>,
  dataset: AnyDataset,
  normalization: Normalization,
): TrainerOptions["augment"] {
  if (isText(dataset) || !("features" in dataset))
    throw new MessageError({ where: "augment", what: "there are no images to augment" });
  const known = augmentationNames.filter((name) => Object.hasOwn(amounts, name));
  const inOrder = Object.keys(amounts).flatMap((name) => known.find((each) => each === name) ?? []);
  return augmentationsOf(new Map(inOrder.map((name) => [name, amounts[name]!])), contextOf(dataset, normalization));
}
