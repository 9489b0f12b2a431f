/*
 * What a program that takes an exported model must know of the table that the model was trained on.
 */
import { featureNames, targetColumns, tableSchemaFrom, type TableSchema } from "../data/table-schema.ts";
import type { TrainedModel } from "./model.ts";

function schemaOf({ table }: TrainedModel): TableSchema | undefined {
  return table && tableSchemaFrom(table, "table");
}

/** Each output · deviation + mean is in the units of the table's label. */
export interface OutputScale {
  /** One for each output. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/**
 * How the outputs of a model that was trained on a standardized label come back to the label's units.
 * @returns undefined where they are in the data's units as they are
 */
export function outputScale(trained: TrainedModel): OutputScale | undefined {
  const schema = schemaOf(trained);
  const labels = schema ? targetColumns(schema) : [];
  if (labels.every(({ mean, deviation }) => mean === 0 && deviation === 1)) return undefined;
  return { mean: labels.map(({ mean }) => mean), deviation: labels.map(({ deviation }) => deviation) };
}

/** The names of the features in their order, the columns that they come from, and what stands in for missing values. */
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
