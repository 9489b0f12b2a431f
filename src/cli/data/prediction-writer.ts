import { inUnitsOf } from "../../data/table-data.ts";
import { tableSchemaFrom } from "../../data/table-schema.ts";
import { OptionError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
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
  /** @param outputs what the model gave, row after row */
  linesOf(outputs: Float32Array): string[];
}

/**
 * A writer of CSV, whose first lines begin with a header, or of JSON objects.
 * @throws OptionError where probabilities are asked of a model that gives none
 */
export function createPredictionWriter(options: WriterOptions): PredictionWriter {
  const { trained, format } = options;
  const values = trained.outputs ? quantities(options, trained.outputs) : classes(options);
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
  /** Of the columns. */
  readonly names: readonly string[];
  rowsOf(outputs: Float32Array): Row[];
  objectOf(row: Row): object;
}

/** With as many digits as float32 has. */
const rounded = (value: number) => Number(value.toPrecision(7));

function quantities({ trained, path, probabilities }: WriterOptions, names: readonly string[]): Values {
  if (probabilities) {
    throw new OptionError({
      where: "--probabilities",
      what: `${path} gives quantities, which have none`,
      fix: "Leave it away",
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

function classes({ trained, path, probabilities }: WriterOptions): Values {
  const { classes: names, loss, model } = trained;
  if (probabilities && loss !== "softmaxCrossEntropy") {
    const what = `${path} was trained with ${loss}, whose outputs are no probabilities`;
    throw new OptionError({ where: "--probabilities", what, fix: "Train with softmaxCrossEntropy" });
  }
  return {
    names: ["prediction", ...(probabilities ? names : [])],
    rowsOf(outputs) {
      const said = predictedClasses(outputs, sizeOf(model.outputShape), decisionThreshold(loss));
      const shares = probabilities ? softmaxOf(outputs, names.length) : undefined;
      return Array.from(said, (label, row) => [
        names[label]!,
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
