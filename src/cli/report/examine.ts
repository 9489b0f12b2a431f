/*
 * The results of a trained model for the report: metrics, mistakes and images of its weights.
 */
import { isRegression, type ClassificationDataset, type RegressionDataset, type Dataset } from "../../data/dataset.ts";
import { sizeOf, type Shape } from "../../graph/tensor.ts";
import type { LossName } from "../../nn/losses.ts";
import type { Model } from "../../nn/sequential.ts";
import { confusionMatrix, regressionMetrics } from "../../train/metrics.ts";
import type { StoredValues } from "../../train/index.ts";
import { classesByThreshold } from "../../train/two-classes.ts";
import { rankMistakes } from "../../train/mistakes.ts";
import { classShares, decisionThreshold } from "../../train/outputs.ts";
import type { ClassResults, Mistake, OutputResults, ReportImage, ReportFacts } from "./facts.ts";
import { rankingOf, rocAucText } from "../text/class-metrics.ts";
import { colorImage, grayImage, signedImage } from "./images.ts";

const MOST_MISTAKES = 24;
const MOST_UNITS = 64;
const MOST_POINTS = 500;

export interface ExamineOptions {
  readonly loss: LossName;
  /** The threshold between two classes; see `classesByThreshold`. */
  readonly threshold?: number | undefined;
  /** Converts standardized targets to the units of the label; by default they are unchanged. */
  readonly inUnits?: (targets: Float32Array) => Float32Array;
}

/**
 * Evaluates a model's outputs for the report.
 * @param outputs the outputs for the examples of `data`, row-major
 */
export function examine(
  data: Dataset,
  outputs: Float32Array,
  options: ExamineOptions,
): Pick<ReportFacts, "classes" | "outputs"> {
  const { inUnits = (targets: Float32Array) => targets } = options;
  if (!isRegression(data)) return { classes: examineClasses(data, outputs, options) };
  return { outputs: examineOutputs({ ...data, targets: inUnits(data.targets) }, inUnits(outputs)) };
}

function examineClasses(
  data: ClassificationDataset,
  outputs: Float32Array,
  { loss, threshold: chosen }: ExamineOptions,
): ClassResults {
  const { labels, classes, count } = data;
  const width = outputs.length / count;
  const threshold = decisionThreshold(loss);
  const predictions = classesByThreshold(outputs, width, loss, chosen);
  const ranking = rankingOf(data, outputs, loss);
  const outputOf = (example: number, label: number) => outputs[example * width + label]!;
  const margin = (example: number) =>
    width === 1
      ? Math.abs(outputs[example]! - threshold)
      : outputOf(example, predictions[example]!) - outputOf(example, labels[example]!);
  const mistakes = rankMistakes(labels, predictions, margin);
  return {
    classes,
    confusion: confusionMatrix(labels, predictions, classes.length),
    mistakes: mistakes.length,
    ...(ranking && { rocAuc: rocAucText(ranking) }),
    worst: mistakes.slice(0, MOST_MISTAKES).map((example): Mistake => {
      const [prediction, label] = [predictions[example]!, labels[example]!];
      const shares = sharesOf(outputs.subarray(example * width, (example + 1) * width), loss);
      const names = { label: classes[label]!, prediction: classes[prediction]! };
      const image = imageOf(data, example, `${names.label}, predicted as ${names.prediction}`);
      return {
        example,
        ...names,
        ...(shares && { probabilities: [shares[prediction]!, shares[label]!] }),
        ...(image && { image }),
      };
    }),
  };
}

/** The probability of each class from an example's outputs; a single output gives the probability of class 1. */
function sharesOf(row: Float32Array, loss: LossName): ArrayLike<number> | undefined {
  const shares = classShares(row, row.length, loss);
  return shares?.length === 1 ? [1 - shares[0]!, shares[0]!] : shares;
}

/** An example as an image, if its shape is [height, width], or that with one or three channels. */
function imageOf(
  { features, shape }: ClassificationDataset,
  example: number,
  caption: string,
): ReportImage | undefined {
  const [height = 1, width = 1, channels = 1] = shape;
  if (shape.length < 2 || shape.length > 3 || (channels !== 1 && channels !== 3)) return undefined;
  const size = height * width * channels;
  const values = features.subarray(example * size, (example + 1) * size);
  if (channels === 3) {
    if (!(values instanceof Uint8Array)) return undefined;
    return { source: colorImage(values, width), width, height, caption };
  }
  const [least, most] = features instanceof Uint8Array ? [0, 255] : [Math.min(...values), Math.max(...values)];
  return { source: grayImage(values, width, least, most), width, height, caption };
}

function examineOutputs(
  { targets, outputs: names, count }: RegressionDataset,
  predictions: Float32Array,
): OutputResults[] {
  return names.map((name, output) => {
    const columnOf = (values: Float32Array) =>
      Float32Array.from({ length: count }, (_, row) => values[row * names.length + output]!);
    const [wanted, predicted] = [columnOf(targets), columnOf(predictions)];
    const points = Array.from(wanted.subarray(0, MOST_POINTS), (target, row) => [target, predicted[row]!] as const);
    return { name, metrics: regressionMetrics(wanted, predicted), points };
  });
}

/**
 * The weights of the first layer with parameters, as one image per unit: with the shape of the examples for a dense
 * layer on images, the window of a convolution, and one row for other layers. Channels are side by side.
 */
export function firstWeights(
  model: Model,
  parameters: Readonly<Record<string, StoredValues>>,
  exampleShape: Shape,
): NonNullable<ReportFacts["weights"]> {
  const { name } = model.parameters[0]!.attributes as { name: string };
  const { shape, values } = parameters[name]!;
  const units = shape.length > 1 ? shape.at(-1)! : 1;
  const inputs = values.length / units;
  const [height, width, channels] = weightShape(shape, inputs, exampleShape);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const images = Array.from({ length: Math.min(units, MOST_UNITS) }, (_, unit): ReportImage => {
    const pixels = Float32Array.from({ length: inputs }, (__, pixel) => {
      const [row, column] = [Math.floor(pixel / (width * channels)), pixel % (width * channels)];
      const [channel, x] = [Math.floor(column / width), column % width];
      return values[((row * width + x) * channels + channel) * units + unit]!;
    });
    const source = signedImage(pixels, width * channels, largest);
    return { source, width: width * channels, height, caption: `weights of unit ${unit}` };
  });
  return { images, units, largest };
}

/** Rows, columns and channels of the weights of one unit. */
function weightShape(weights: Shape, inputs: number, example: Shape): readonly [number, number, number] {
  if (weights.length === 4) return [weights[0]!, weights[1]!, weights[2]!];
  if (weights.length === 3) return [1, weights[0]!, weights[1]!];
  const isImage = (example.length === 2 || example.length === 3) && sizeOf(example) === inputs;
  const [height = 1, width = 1, channels = 1] = isImage ? example : [1, inputs];
  return [height, width, channels];
}
