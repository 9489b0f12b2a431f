/*
 * The table columns that a model expects.
 */
import { targetColumns, tableSchemaFrom, type TableSchema } from "../../data/table-schema.ts";
import { OptionError } from "../../errors.ts";
import type { TrainedModel } from "../../node/index.ts";

/**
 * The table that a model expects: the one stored in its file. A model with one input axis and no stored table, such as one
 * imported without `--columns`, expects one column of numbers per input, by position, and then the label.
 * @param path the model's file, for messages
 * @returns undefined for a model of images
 */
export function tableOf({ table, model, classes, outputs }: TrainedModel, path: string): TableSchema | undefined {
  if (table) return tableSchemaFrom(table, path);
  if (model.inputShape.length !== 1) return undefined;
  const names = Array.from({ length: model.inputShape[0]! }, (_, index) => `column ${index + 1}`);
  return { ...schemaOfNumbers(names, { name: "label", classes, outputs }), header: false };
}

interface LabelNames extends Pick<TrainedModel, "classes" | "outputs"> {
  /** The name of the label column. */
  readonly name: string;
}

/** The schema of a table of plain numbers, with the label as the last column. */
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

/** Whether a model may expect images: it stores no table, and has several input axes or was trained by wgrad. */
export const takesImages = ({ table, model, training }: TrainedModel): boolean =>
  table === undefined && (model.inputShape.length > 1 || training["importedFrom"] === undefined);

/**
 * Refuses to evaluate a model with several targets whose columns its file does not store, such as an imported one.
 * @throws OptionError
 */
export function requireLabels({ outputs }: TrainedModel, schema: TableSchema, path: string): void {
  if (outputs === undefined || outputs.length === targetColumns(schema).length) return;
  const what = `${path} predicts ${outputs.length} targets, but does not store which columns they are`;
  throw new OptionError({ where: "--csv", what, fix: "Use `wgrad predict`, and compare its output yourself" });
}
