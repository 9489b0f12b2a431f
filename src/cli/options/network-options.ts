/*
 * The options that describe the network and its training step.
 */
import { layersFromText, layersToText, type Layer } from "../../nn/index.ts";
import { activations, type ActivationName } from "../../nn/activations.ts";
import { layersFromPartialConfigs } from "../../nn/layer-text/partial-config.ts";
import { losses, type LossName } from "../../nn/losses.ts";
import { momentumForms, type MomentumForm } from "../../nn/momentum-form.ts";
import { activationStorages, precisions, type ActivationStorage, type Precision } from "../../precisions.ts";
import { presets, type PresetName } from "../training/presets.ts";
import { SettableOption } from "./declared-option.ts";
import {
  adams,
  atLeastZeroOption,
  decayingOptimizers,
  nameOption,
  namesOf,
  optimizers,
  positiveOption,
  shareOption,
  switchOption,
  wholeNumberOption,
  type OptimizerName,
} from "./options.ts";
import { batchSize, widths } from "./parsers.ts";

/** The options that describe the network and its training step. */
export interface NetworkFlags {
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly dropout: number;
  /** The layers as a text of `layersToText`, in place of the options above. */
  readonly layers?: string;
  /** A network in place of the options above. */
  readonly preset?: PresetName;
  /** By default softmaxCrossEntropy for classification and meanSquaredError for regression. */
  readonly loss?: LossName;
  /** By default chosen by `settledFlags`; adam if there is no data. */
  readonly optimizer?: OptimizerName;
  readonly momentumForm?: MomentumForm;
  readonly weightDecay?: number;
  /** The decay rate of the second moment of adam and adamW. */
  readonly beta2?: number;
  readonly clipNorm?: number;
  /** By default 64, or all examples if there are fewer. */
  readonly batch?: number | "full";
  readonly seed: number;
  readonly standardize: boolean;
  readonly precision: Precision;
  readonly recompute?: number;
  /** "float32" by default. */
  readonly activationStorage?: ActivationStorage;
}

const recomputeOption = (): SettableOption =>
  wholeNumberOption(
    "--recompute <layers>",
    "keep the outputs of every n-th layer only, and compute the values between them again in the backward pass: less memory, same bits",
    1,
  ).withFacts({ isIdentity: false });

const activationStorageOption = (): SettableOption =>
  nameOption("--activation-storage", "how activations are stored for the backward pass", activationStorages, {
    note: ", which takes half of the memory (default: float32)",
  });

/** The options of `NetworkFlags`, in the order of the help. */
export function networkOptions(): SettableOption[] {
  const hidden = { type: "array", items: { type: "integer", minimum: 1 } };
  const batch = { anyOf: [{ type: "integer", minimum: 1 }, { const: "full" }] };
  const options = [
    new SettableOption(
      "--hidden <widths>",
      'widths of the hidden layers, such as 128,64; "none" for a linear model',
      hidden,
    )
      .argParser(widths("--hidden"))
      .default([128], "128")
      .withFacts({ suitsText: false }),
    nameOption("--activation", "activation of the hidden layers", namesOf(activations), { preset: "relu" }).withFacts({
      suitsText: false,
    }),
    shareOption("--dropout <rate>", "dropout rate after each hidden layer, and in the blocks of a GPT").default(0),
    layersOption(),
    presetOption(),
    nameOption("--loss", "loss function", namesOf(losses), {
      note: " (default: softmaxCrossEntropy for classification, meanSquaredError for regression)",
    }).withFacts({ sweep: "shared" }),
    nameOption("--optimizer", "optimizer", namesOf(optimizers), {
      note: " (default: adam; adamW for a table, and for text)",
    }),
    nameOption("--momentum-form", "form of momentum and nesterov", momentumForms, {
      note: "; they differ when the learning rate changes (default: classic)",
    }),
    atLeastZeroOption(
      "--weight-decay <rate>",
      "weight decay of adamW, lion and muon, at least 0 (default: 0.01 for adamW, 0.3 for adamW and a table, 0.1 for adamW and text, else 0)",
    ).withFacts({
      libraryNames: namesOf(decayingOptimizers).map((name) => `${name} weightDecay`),
    }),
    shareOption(
      "--beta2 <rate>",
      "decay rate of the second moment of adam and adamW (default: 0.999; 0.99 for text)",
    ).withFacts({ libraryNames: namesOf(adams).map((name) => `${name} beta2`) }),
    positiveOption("--clip-norm <norm>", "clip the gradients to this global norm"),
    new SettableOption("--batch <size>", 'batch size, or "full" for all examples (default: 64)', batch)
      .argParser(batchSize("--batch"))
      .withFacts({ libraryNames: ["batchSize"] }),
    wholeNumberOption(
      "--seed <number>",
      "seed of the initial values and the order of the examples",
      0,
      2 ** 32 - 1,
    ).default(1),
    switchOption(
      "--no-standardize",
      "scale pixels to 0 … 1 and leave table columns unchanged (default: standardize to mean 0 and deviation 1)",
    )
      .default(true)
      .withFacts({ selectsData: true, suitsText: false }),
    nameOption("--precision", "precision of the operands of matrix products", precisions, { preset: "float32" }),
    recomputeOption(),
    activationStorageOption(),
  ];
  for (const option of options) option.helpGroup("Network and step:");
  return options;
}

/** --layers. Its value is the text that `layersToText` writes, so that two texts of the same layers are equal. */
function layersOption(): SettableOption {
  const layers = { type: "array", items: { type: "object" } };
  return new SettableOption(
    "--layers <text>",
    'layers of any kind in place of --hidden, such as "conv 16 3x3 relu, maxpool 2, flatten, dense 10"',
    { anyOf: [{ type: "string", minLength: 1 }, layers] },
  )
    .argParser((text) => textOf(layersFromText(text)))
    .writtenBy((value) => (typeof value === "string" ? value : textOf(layersFromPartialConfigs("--layers", value))))
    .withFacts({ hasCommas: true, libraryNames: ["layersFromText"] });
}

/** Built-in layers as a text. */
const textOf = (layers: readonly Layer[]): string => layersToText(layers.map(({ config }) => config))!;

/** --preset. */
function presetOption(): SettableOption {
  return nameOption("--preset", "a network in place of --hidden", namesOf(presets), {
    note:
      "; mlp has the default layers, cnn 5 convolutions with batch normalization, resnet 7 with residual connections; " +
      "cnn and resnet train with --batch 128 --lr 0.01 --schedule oneCycle --rise 0.2 unless you give others; " +
      "gpt-nano, gpt-micro (the default for text) and gpt-mini are for text, and train with --batch 12 --lr 0.001 --clip-norm 1",
  }).withFacts({ sweep: "shared" });
}
