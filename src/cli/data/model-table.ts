/*
 * How the rows of a table become the features of a model.
 */
import { targetColumns, tableSchemaFrom, type TableSchema } from "../../data/table-schema.ts";
import { OptionError } from "../../errors.ts";
import type { TrainedModel } from "../../node/index.ts";

/**
 * The columns that a model takes: those that its file keeps. A network of one axis that keeps none, such as one that was
 * imported without `--columns`, takes as many numbers as it has inputs, by their positions, and then the label.
 * @param path the model's file, for messages
 * @returns undefined for a model of pictures
 */
export function tableOf({ table, model, classes, outputs }: TrainedModel, path: string): TableSchema | undefined {
  if (table) return tableSchemaFrom(table, path);
  if (model.inputShape.length !== 1) return undefined;
  const names = Array.from({ length: model.inputShape[0]! }, (_, index) => `column ${index + 1}`);
  return { ...schemaOfNumbers(names, { name: "label", classes, outputs }), header: false };
}

interface LabelNames extends Pick<TrainedModel, "classes" | "outputs"> {
  /** Of the label's column. */
  readonly name: string;
}

/** The schema of columns of numbers that a model takes as they are, with the label as the last column. */
export function schemaOfNumbers(columns: readonly string[], { name, classes, outputs }: LabelNames): TableSchema {
  const position = columns.length + 1;
  return {
    header: true,
    width: position,
    columns: columns.map((column, index) => ({ name: column, position: index + 1, kind: "number" })),
    label: outputs
      ? { name, position, kind: "number", mean: 0, deviation: 1 }
      : { name, position, kind: "class", classes },
  };
}

/** Whether a model may have been made for pictures: it keeps no columns, and has two axes or was trained by wgrad on one. */
export const takesPictures = ({ table, model, training }: TrainedModel): boolean =>
  table === undefined && (model.inputShape.length > 1 || training["importedFrom"] === undefined);

/**
 * Refuses to evaluate a model that gives several quantities and does not know their columns, as an imported one.
 * @throws OptionError
 */
export function requireLabels({ outputs }: TrainedModel, schema: TableSchema, path: string): void {
  if (outputs === undefined || outputs.length === targetColumns(schema).length) return;
  const what = `${path} gives ${outputs.length} quantities, and does not keep which columns they are`;
  throw new OptionError({ where: "--csv", what, fix: "Use `wgrad predict`, and compare its columns yourself" });
}
