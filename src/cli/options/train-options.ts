/*
 * The options of a training run, on the command line and in a configuration file.
 */
import { nonFiniteChoices, type NonFiniteChoice } from "../../train/index.ts";
import type { DeviceChoice } from "../../node/index.ts";
import { logFormats } from "../training/log-format.ts";
import { checkpointOptions, type CheckpointFlags } from "./checkpoint-options.ts";
import { dataOptions, type DataFlags } from "./data-options.ts";
import { augmentText, usualAugmentations } from "../training/augmentation.ts";
import { SettableOption } from "./declared-option.ts";
import { modelPath, weightList } from "./parsers.ts";
import {
  atLeastZeroOption,
  deviceOption,
  nameOption,
  namesOf,
  positiveOption,
  scheduleOption,
  shareOption,
  switchOption,
  textOption,
  wholeNumberOption,
  type ScheduleName,
} from "./options.ts";
import { networkOptions, type NetworkFlags } from "./network-options.ts";
import type { SampleFlags } from "./text-options.ts";
import { thresholdOption, type ThresholdFlags } from "./threshold-option.ts";

/** The options that end training before its last epoch. */
export interface StopFlags {
  readonly maxSteps?: number;
  readonly maxSeconds?: number;
  readonly patience?: number;
  readonly minImprovement: number;
  readonly lossTolerance?: number;
  readonly gradientTolerance?: number;
  readonly checkEvery?: number;
}

export interface TrainFlags extends DataFlags, NetworkFlags, StopFlags, CheckpointFlags, SampleFlags, ThresholdFlags {
  readonly lr: number;
  readonly schedule: ScheduleName;
  /** The share of the run in which oneCycle raises the learning rate; 0.3 by default. */
  readonly rise?: number;
  /** The learning rate at the end of a schedule that decays smoothly, as a fraction of `lr`. */
  readonly finalRate?: number;
  /** By default chosen by `settledFlags`. */
  readonly warmup?: number;
  readonly epochs?: number;
  readonly init?: string;
  /** Augmentations as `augmentText` writes them. */
  readonly augment?: string;
  /** The weight of each class in the loss, in the order of the classes. */
  readonly classWeights?: "balanced" | "none" | readonly number[];
  readonly onNan: NonFiniteChoice;
  readonly device: DeviceChoice;
  readonly tune: boolean;
  readonly out?: string;
  readonly log?: string;
  /** By default that of the suffix of `log`. */
  readonly logFormat?: keyof typeof logFormats;
  readonly report?: string;
}

/** Every option that a configuration file may contain, in the order of the help. */
export function trainOptions(): SettableOption[] {
  return [
    ...dataOptions(),
    ...networkOptions(),
    ...rateOptions(),
    ...stopOptions(),
    ...checkpointOptions(),
    ...outputOptions(),
  ];
}

function rateOptions(): SettableOption[] {
  return [
    positiveOption("--lr <rate>", "learning rate")
      .default(0.002)
      .withFacts({ libraryNames: ["learningRate"] }),
    scheduleOption(),
    shareOption("--rise <fraction>", "fraction of the run in which oneCycle raises the learning rate (default: 0.3)"),
    shareOption(
      "--final-rate <fraction>",
      "learning rate at the end of cosine, linear, cosineRestarts and oneCycle, as a fraction of --lr (default: 0, 4e-6 for oneCycle; 0.1 for cosine and text)",
    ),
    wholeNumberOption(
      "--warmup <steps>",
      "steps of linear learning-rate warmup before the schedule (default: 0; for text a twentieth of the run, at most 100)",
      0,
    ),
    wholeNumberOption(
      "--epochs <number>",
      "passes over the data (default: enough for 2,000 steps, at least 3; a run on text ends after 2,000 steps)",
      1,
    ),
    textOption(
      "--init <model>",
      "start from the layers and values of a saved model, such as MODEL.safetensors",
    ).withFacts({ file: "input", suitsText: false, sweep: "shared" }),
    augmentOption(),
    classWeightsOption(),
  ].map((option) => option.helpGroup("Network and step:"));
}

function augmentOption(): SettableOption {
  const description =
    `random changes of the training images, such as shift,rotate=5: any of ${usualAugmentations.join(", ")} ` +
    "(pixels, degrees, fraction, probability, pixels, pixels, alpha; these amounts are the defaults), affine, or none (default: none)";
  return new SettableOption("--augment <list>", description, { type: "string", minLength: 1 })
    .argParser(augmentText)
    .withFacts({ hasCommas: true, suitsText: false });
}

function classWeightsOption(): SettableOption {
  const weights = { type: "array", items: { type: "number", minimum: 0 } };
  return new SettableOption(
    "--class-weights <weights>",
    'weights of the classes in the loss, in their order, such as 1,2.5; or "balanced" for examples / (classes · examples of the class) (default: none)',
    { anyOf: [{ const: "balanced" }, { const: "none" }, weights] },
  )
    .argParser((text) => (text === "balanced" || text === "none" ? text : weightList("--class-weights", text)))
    .withFacts({ suitsText: false });
}

function stopOptions(): SettableOption[] {
  return [
    wholeNumberOption("--max-steps <number>", "end the run, and its learning-rate schedule, after this many steps", 1),
    ofFitUntil(
      positiveOption("--max-seconds <number>", "stop after this many seconds").withFacts({
        isIdentity: false,
        stopsEarly: true,
      }),
    ),
    ofFitUntil(
      wholeNumberOption(
        "--patience <checks>",
        "stop after this many checks without a lower validation loss, and restore the best parameters (default: none; 20 for regression on a table)",
        1,
      ).withFacts({ stopsEarly: true }),
    ),
    ofFitUntil(
      atLeastZeroOption(
        "--min-improvement <loss>",
        "smallest decrease of the validation loss that counts as an improvement",
      ).default(0),
    ),
    ofFitUntil(
      positiveOption(
        "--loss-tolerance <change>",
        "stop when the loss changes by less than this at three checks in a row",
      ).withFacts({ stopsEarly: true }),
    ),
    ofFitUntil(
      positiveOption(
        "--gradient-tolerance <norm>",
        "stop when the gradient norm is below this at three checks in a row",
      ).withFacts({ stopsEarly: true }),
    ),
    nameOption("--on-nan", "what to do if the loss or gradient is NaN or infinite", nonFiniteChoices, {
      preset: "stop",
    }).withFacts({
      libraryNames: ["onNonFinite"],
    }),
    ofFitUntil(
      wholeNumberOption(
        "--check-every <steps>",
        "steps between two checks (default: an epoch, but at most 100 checks per run)",
        1,
      ),
    ),
  ].map((option) => option.helpGroup("When to stop:"));
}

/** Marks an option that the library's `fitUntil` has under the same name. */
const ofFitUntil = (option: SettableOption) =>
  option.withFacts({ libraryNames: [`fitUntil ${option.attributeName()}`] });

function outputOptions(): SettableOption[] {
  const files = [
    textOption("--out <file>", "write the trained model, such as MODEL.safetensors").argParser(modelPath("--out")),
    textOption("--log <file>", "write the progress as JSON Lines or CSV, such as RUN.jsonl or RUN.csv"),
    textOption(
      "--report <file>",
      "write an HTML page about the run, such as RUN.html: curves, mistakes, weights, times",
    ),
  ];
  return [
    deviceOption(),
    switchOption(
      "--no-tune",
      "do not measure tilings of matrix products on the GPU while it trains; they change the speed but no bit",
    ).withFacts({ isIdentity: false, sweep: "shared" }),
    thresholdOption("the more probable one"),
    ...files.map((option) => option.withFacts({ file: "output", isIdentity: false, suitsFolds: false, sweep: "none" })),
    nameOption("--log-format", "format of --log", namesOf(logFormats), {
      note: " (default: csv for a path that ends in .csv, else jsonl)",
    }).withFacts({ isIdentity: false, sweep: "none" }),
  ];
}
