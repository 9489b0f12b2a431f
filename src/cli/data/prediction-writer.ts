import { inUnitsOf } from "../../data/table-data.ts";
import { tableSchemaFrom } from "../../data/table-schema.ts";
import { OptionError } from "../../errors.ts";
import { lossName } from "../../formats/model.ts";
import { sizeOf } from "../../graph/tensor.ts";
import { probabilitiesOf } from "../../nn/losses.ts";
import { classesByThreshold } from "../../train/index.ts";
import { classShares } from "../../train/outputs.ts";
import { requireThreshold } from "../../train/two-classes.ts";
import type { TrainedModel } from "../../node/index.ts";
import { csvCell } from "../../text.ts";

export type PredictionFormat = "csv" | "json";

interface WriterOptions {
  readonly trained: TrainedModel;
  /** The model's file, for messages. */
  readonly path: string;
  readonly format: PredictionFormat;
  /** Whether the probability of each class is written as well. */
  readonly probabilities: boolean;
  /** The threshold between two classes; see `classesByThreshold`. */
  readonly threshold: number | undefined;
  /** Whether the examples are files: then each line begins with the name of the file, and has the probability of its prediction. */
  readonly areFiles: boolean;
}

/** Writes predictions, one line for each example. */
export interface PredictionWriter {
  /**
   * @param outputs the model's outputs, row-major
   * @param files the file of each example, if the examples are files
   */
  linesOf(outputs: Float32Array, files?: readonly string[]): string[];
}

/**
 * Creates a writer of CSV, which starts with a header line, or of JSON objects.
 * @throws OptionError if probabilities or a threshold are requested of a model that has none
 */
export function createPredictionWriter(options: WriterOptions): PredictionWriter {
  const { trained, format, areFiles } = options;
  const values = trained.outputs ? targetValues(options, trained.outputs) : classValues(options);
  let isFirst = true;
  return {
    linesOf(outputs, files) {
      const rows = values.rowsOf(outputs);
      if (format === "json") {
        const objects = rows.map((row) => values.objectOf(row));
        return objects.map((object, index) => JSON.stringify(files ? { file: files[index], ...object } : object));
      }
      const header = [...(areFiles ? ["file"] : []), ...values.names].map(csvCell).join(",");
      const lines = rows.map((row, index) =>
        [...(files ? [files[index]!] : []), ...row].map((value) => csvCell(String(value))).join(","),
      );
      if (!isFirst) return lines;
      isFirst = false;
      return [header, ...lines];
    },
  };
}

type Row = readonly (string | number)[];

interface Values {
  /** The names of the columns. */
  readonly names: readonly string[];
  rowsOf(outputs: Float32Array): Row[];
  objectOf(row: Row): object;
}

/** Rounds to seven significant digits, about the precision of float32. */
const rounded = (value: number) => Number(value.toPrecision(7));

function targetValues({ trained, path, probabilities, threshold }: WriterOptions, names: readonly string[]): Values {
  const refuse = (where: string, missing: string) =>
    new OptionError({ where, what: `${path} is a regression model, which has no ${missing}`, fix: "Omit this option" });
  if (probabilities) throw refuse("--probabilities", "probabilities");
  if (threshold !== undefined) throw refuse("--threshold", "classes");
  const table = trained.table && tableSchemaFrom(trained.table, path);
  return {
    names,
    rowsOf(outputs) {
      const values = inUnitsOf(table, outputs);
      return Array.from({ length: values.length / names.length }, (_, row) =>
        Array.from(values.subarray(row * names.length, (row + 1) * names.length), rounded),
      );
    },
    objectOf: (row) => Object.fromEntries(names.map((name, index) => [name, row[index]])),
  };
}

function classValues({ trained, path, probabilities, threshold, areFiles }: WriterOptions): Values {
  const { classes: names, loss, model } = trained;
  const width = sizeOf(model.outputShape);
  const kind = probabilitiesOf(loss);
  if (probabilities && kind !== "softmax") {
    const what = `${path} was trained with ${lossName(loss)}, which gives no probabilities of the classes`;
    throw new OptionError({ where: "--probabilities", what, fix: "Train with softmaxCrossEntropy" });
  }
  if (threshold !== undefined) requireThreshold(threshold, width, loss);
  const hasProbability = areFiles && kind !== undefined;
  return {
    names: ["prediction", ...(hasProbability ? ["probability"] : []), ...(probabilities ? names : [])],
    rowsOf(outputs) {
      const predictions = classesByThreshold(outputs, width, loss, threshold);
      const shares = kind && classShares(outputs, width, loss);
      return Array.from(predictions, (prediction, row) => {
        const ofRow = shares?.subarray(row * width, (row + 1) * width);
        return [
          names[prediction]!,
          ...(hasProbability ? [rounded(shareOf(ofRow!, prediction))] : []),
          ...(probabilities ? Array.from(ofRow!, rounded) : []),
        ];
      });
    },
    objectOf([prediction, ...rest]) {
      const [probability, shares] = hasProbability ? [rest[0], rest.slice(1)] : [undefined, rest];
      return {
        prediction,
        ...(hasProbability && { probability }),
        ...(probabilities && { probabilities: Object.fromEntries(names.map((name, index) => [name, shares[index]])) }),
      };
    },
  };
}

/** The probability of a class; a single output is that of class 1. */
const shareOf = (shares: Float32Array, label: number) =>
  shares.length > 1 ? shares[label]! : label === 1 ? shares[0]! : 1 - shares[0]!;
