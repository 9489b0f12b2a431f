/*
 * What is kept of a table so that another one of the same columns becomes the same features: names, kinds, categories,
 * what stands in for missing values, and what the labels mean. Plain data, kept in a model file as JSON.
 */
import { DataError } from "../errors.ts";

/** A column that the model sees. */
export type FeatureColumn = {
  /** As in the header; "column 3" where there is none. */
  readonly name: string;
  /** Where the column stood in the table that the model was trained on, counted from 1. */
  readonly position: number;
} & (
  | { readonly kind: "number" }
  /** One feature for each category, 1 where the cell is that category and else 0. */
  | { readonly kind: "category"; readonly categories: readonly string[] }
);

/** The column that is to be predicted. */
export type LabelColumn = { readonly name: string; readonly position: number } & (
  | { readonly kind: "class"; readonly classes: readonly string[] }
  /** The model is trained on, and gives, (value − mean) / deviation. */
  | { readonly kind: "number"; readonly mean: number; readonly deviation: number }
);

/** All that is needed to turn such a table into the same features again. */
export interface TableSchema {
  /** Whether the columns are known by names; else by their positions. */
  readonly header: boolean;
  /** Number of columns of the table, also those left out. */
  readonly width: number;
  /** In the order of the features. */
  readonly columns: readonly FeatureColumn[];
  readonly label: LabelColumn;
  /** What stands in for a missing value, for each feature; missing values are refused if absent. */
  readonly fill?: readonly number[];
}

/** The name of each feature: a column's own, or "colour=red" for a category. */
export function featureNames(columns: readonly FeatureColumn[]): string[] {
  return columns.flatMap((column) =>
    column.kind === "number" ? [column.name] : column.categories.map((category) => `${column.name}=${category}`),
  );
}

/** Number of features that columns become. */
export function featureCount(columns: readonly FeatureColumn[]): number {
  return columns.reduce((sum, column) => sum + (column.kind === "number" ? 1 : column.categories.length), 0);
}

/**
 * Reads what a model file kept.
 * @param where the file, for messages
 * @throws DataError where it is no description of a table
 */
export function tableSchemaFrom(value: unknown, where: string): TableSchema {
  if (isSchema(value)) return value;
  throw new DataError({
    where,
    what: 'the metadata\'s entry "table" is no description of a table',
    fix: "Give a model file of a network that was trained on a table",
  });
}

function isSchema(value: unknown): value is TableSchema {
  if (!isFilled(value) || typeof value["header"] !== "boolean" || !Number.isSafeInteger(value["width"])) return false;
  const { columns, label, fill } = value;
  if (!Array.isArray(columns) || !columns.every(isFeatureColumn) || columns.length === 0 || !isLabel(label)) return false;
  const isComplete = Array.isArray(fill) && fill.length === featureCount(columns) && fill.every(Number.isFinite);
  return fill === undefined || isComplete;
}

const isFilled = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const isColumn = (value: unknown): value is Record<string, unknown> =>
  isFilled(value) && typeof value["name"] === "string" && Number.isSafeInteger(value["position"]);

const isFeatureColumn = (value: unknown): value is FeatureColumn =>
  isColumn(value) && (value["kind"] === "number" || (value["kind"] === "category" && isNames(value["categories"])));

const isLabel = (value: unknown): value is LabelColumn =>
  isColumn(value) &&
  ((value["kind"] === "class" && isNames(value["classes"])) ||
    (value["kind"] === "number" && Number.isFinite(value["mean"]) && (value["deviation"] as number) > 0));

const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");
