/*
 * What a program that uses an exported model must know about the table that the model was trained on.
 */
import { featureNames, targetColumns, tableSchemaFrom, type TableSchema } from "../data/table-schema.ts";
import type { TrainedModel } from "./model.ts";

function schemaOf({ table }: TrainedModel): TableSchema | undefined {
  return table && tableSchemaFrom(table, "table");
}

/** Converts outputs to the units of the table's label: output · deviation + mean. */
export interface OutputScale {
  /** One value per output. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/**
 * The conversion of outputs to the label's units, for a model that was trained on a standardized label.
 * @returns undefined if the outputs are already in the data's units
 */
export function outputScale(trained: TrainedModel): OutputScale | undefined {
  const schema = schemaOf(trained);
  const labels = schema ? targetColumns(schema) : [];
  if (labels.every(({ mean, deviation }) => mean === 0 && deviation === 1)) return undefined;
  return { mean: labels.map(({ mean }) => mean), deviation: labels.map(({ deviation }) => deviation) };
}

/** The names of the features in order, the columns that they come from, and the values for missing cells. */
export function tableMetadata(trained: TrainedModel): Record<string, string> {
  const schema = schemaOf(trained);
  if (!schema) return {};
  const { columns, fill } = schema;
  return {
    features: JSON.stringify(featureNames(columns)),
    columns: JSON.stringify(columns),
    ...(fill && { fill: JSON.stringify(fill) }),
  };
}
