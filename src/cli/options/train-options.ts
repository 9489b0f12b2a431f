/*
 * What can be said of a training: on the command line, and in a configuration file.
 */
import { nonFiniteChoices, type NonFiniteChoice } from "../../train/index.ts";
import type { DeviceChoice } from "../../node/index.ts";
import { checkpointOptions, type CheckpointFlags } from "./checkpoint-options.ts";
import { dataOptions, type DataFlags } from "./data-options.ts";
import type { SettableOption } from "./declared-option.ts";
import {
  atLeastZeroOption,
  deviceOption,
  nameOption,
  networkOptions,
  positiveOption,
  scheduleOption,
  textOption,
  wholeNumberOption,
  type NetworkFlags,
  type ScheduleName,
} from "./options.ts";

/** When training ends before its last epoch. */
export interface StopFlags {
  readonly maxSteps?: number;
  readonly maxSeconds?: number;
  readonly patience?: number;
  readonly minImprovement: number;
  readonly lossTolerance?: number;
  readonly gradientTolerance?: number;
  readonly checkEvery?: number;
}

export interface TrainFlags extends DataFlags, NetworkFlags, StopFlags, CheckpointFlags {
  readonly lr: number;
  readonly schedule: ScheduleName;
  readonly warmup: number;
  readonly epochs?: number;
  readonly init?: string;
  readonly onNan: NonFiniteChoice;
  readonly device: DeviceChoice;
  readonly out?: string;
  readonly log?: string;
  readonly report?: string;
}

/** Every option that a configuration file may give, in the order of the help. */
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
    wholeNumberOption("--warmup <steps>", "linear rise of the learning rate before the schedule", 0).default(0),
    wholeNumberOption(
      "--epochs <number>",
      "passes over the data (default: as many as make 2,000 steps, at least 3)",
      1,
    ),
    textOption(
      "--init <model>",
      "start from the values and the layers of a model, such as MODEL.safetensors",
    ).withFacts({ file: "input", sweep: "shared" }),
  ].map((option) => option.helpGroup("Network and step:"));
}

function stopOptions(): SettableOption[] {
  return [
    wholeNumberOption("--max-steps <number>", "end the run and its schedule earlier", 1),
    ofFitUntil(
      positiveOption("--max-seconds <number>", "stop when so much time has passed").withFacts({ isIdentity: false }),
    ),
    ofFitUntil(
      wholeNumberOption(
        "--patience <checks>",
        "stop when the validation loss was not lower for so many checks, and go back to the best (default: none; 20 for a table of quantities)",
        1,
      ),
    ),
    ofFitUntil(atLeastZeroOption("--min-improvement <loss>", "how much lower counts").default(0)),
    ofFitUntil(
      positiveOption("--loss-tolerance <change>", "stop when the loss changes by less at three checks in a row"),
    ),
    ofFitUntil(
      positiveOption("--gradient-tolerance <norm>", "stop when the gradient's norm is below at three checks in a row"),
    ),
    nameOption("--on-nan", "when the loss or gradient is NaN or infinite", nonFiniteChoices, "stop").withFacts({
      libraryNames: ["onNonFinite"],
    }),
    ofFitUntil(
      wholeNumberOption(
        "--check-every <steps>",
        "from one check to the next (default: an epoch, at most 100 a run)",
        1,
      ),
    ),
  ].map((option) => option.helpGroup("When to stop:"));
}

/** An option that the library's `fitUntil` has under the same name. */
const ofFitUntil = (option: SettableOption) =>
  option.withFacts({ libraryNames: [`fitUntil ${option.attributeName()}`] });

function outputOptions(): SettableOption[] {
  const files = [
    textOption("--out <file>", "write the trained model, such as MODEL.safetensors"),
    textOption("--log <file>", "write the progress, a JSON object a line, such as RUN.jsonl"),
    textOption("--report <file>", "write a page about the run: curves, mistakes, weights, times, such as RUN.html"),
  ];
  return [
    deviceOption(),
    ...files.map((option) => option.withFacts({ file: "output", isIdentity: false, sweep: "none" })),
  ];
}
