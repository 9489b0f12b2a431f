import { inUnitsOf } from "../../data/table-data.ts";
import { tableSchemaFrom } from "../../data/table-schema.ts";
import { OptionError } from "../../errors.ts";
import { lossName } from "../../formats/model.ts";
import { sizeOf } from "../../graph/tensor.ts";
import { probabilitiesOf } from "../../nn/losses.ts";
import { predictedClasses, probabilities as softmaxOf } from "../../train/index.ts";
import { decisionThreshold } from "../../train/outputs.ts";
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
}

/** Writes predictions, one line for each example. */
export interface PredictionWriter {
  /** @param outputs the model's outputs, row-major */
  linesOf(outputs: Float32Array): string[];
}

/**
 * Creates a writer of CSV, which starts with a header line, or of JSON objects.
 * @throws OptionError if probabilities are requested of a model that has none
 */
export function createPredictionWriter(options: WriterOptions): PredictionWriter {
  const { trained, format } = options;
  const values = trained.outputs ? targetValues(options, trained.outputs) : classValues(options);
  let isFirst = true;
  return {
    linesOf(outputs) {
      const rows = values.rowsOf(outputs);
      if (format === "json") return rows.map((row) => JSON.stringify(values.objectOf(row)));
      const header = isFirst ? [values.names.map(csvCell).join(",")] : [];
      isFirst = false;
      return [...header, ...rows.map((row) => row.map((value) => csvCell(String(value))).join(","))];
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

function targetValues({ trained, path, probabilities }: WriterOptions, names: readonly string[]): Values {
  if (probabilities) {
    throw new OptionError({
      where: "--probabilities",
      what: `${path} is a regression model, which has no probabilities`,
      fix: "Omit this option",
    });
  }
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

function classValues({ trained, path, probabilities }: WriterOptions): Values {
  const { classes: names, loss, model } = trained;
  if (probabilities && probabilitiesOf(loss) !== "softmax") {
    const what = `${path} was trained with ${lossName(loss)}, which gives no probabilities of the classes`;
    throw new OptionError({ where: "--probabilities", what, fix: "Train with softmaxCrossEntropy" });
  }
  return {
    names: ["prediction", ...(probabilities ? names : [])],
    rowsOf(outputs) {
      const predictions = predictedClasses(outputs, sizeOf(model.outputShape), decisionThreshold(loss));
      const shares = probabilities ? softmaxOf(outputs, names.length) : undefined;
      return Array.from(predictions, (prediction, row) => [
        names[prediction]!,
        ...(shares ? Array.from(shares.subarray(row * names.length, (row + 1) * names.length), rounded) : []),
      ]);
    },
    objectOf: ([prediction, ...shares]) => ({
      prediction,
      ...(shares.length > 0 && {
        probabilities: Object.fromEntries(names.map((name, index) => [name, shares[index]])),
      }),
    }),
  };
}
