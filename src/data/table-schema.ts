/*
 * What is kept of a table so that another one of the same columns becomes the same features: names, kinds, categories,
 * what stands in for missing values, and what the labels mean. Plain data, kept in a model file as JSON.
 */
import { DataError } from "../errors.ts";
import { dateParts, type DateFormat } from "./dates.ts";
import type { NumberFormat } from "./number-format.ts";

/** A column that the model sees. */
export type FeatureColumn = {
  /** As in the header; "column 3" where there is none. */
  readonly name: string;
  /** Where the column stood in the table that the model was trained on, counted from 1. */
  readonly position: number;
} & (
  | { readonly kind: "number"; readonly format?: NumberFormat }
  /** One feature for each category, 1 where the cell is that category and else 0. */
  | { readonly kind: "category"; readonly categories: readonly string[] }
  /** One feature for each part, such as the year. */
  | ({ readonly kind: "date" } & DateFormat)
);

/** A column of quantities. The model is trained on, and gives, (value − mean) / deviation. */
export interface TargetColumn {
  readonly name: string;
  readonly position: number;
  readonly kind: "number";
  readonly mean: number;
  readonly deviation: number;
  readonly format?: NumberFormat;
}

/** The column that is to be predicted. */
export type LabelColumn =
  | {
      readonly name: string;
      readonly position: number;
      readonly kind: "class";
      readonly classes: readonly string[];
      readonly format?: NumberFormat;
    }
  | TargetColumn;

/** All that is needed to turn such a table into the same features again. */
export interface TableSchema {
  /** Whether the columns are known by names; else by their positions. */
  readonly header: boolean;
  /** Number of columns of the table, also those left out. */
  readonly width: number;
  /** In the order of the features. */
  readonly columns: readonly FeatureColumn[];
  readonly label: LabelColumn;
  /** The columns after `label` that are predicted with it, in the order of the outputs; all are quantities then. */
  readonly otherLabels?: readonly TargetColumn[];
  /** What stands in for a missing value, for each feature; missing values are refused if absent. */
  readonly fill?: readonly number[];
}

/** The columns that are predicted, in the order of the outputs. */
export const labelColumns = ({ label, otherLabels = [] }: TableSchema): readonly LabelColumn[] => [
  label,
  ...otherLabels,
];

/** The quantities that are predicted; none of a model of classes. */
export const targetColumns = (schema: TableSchema): readonly TargetColumn[] =>
  labelColumns(schema).filter((label) => label.kind === "number");

/** The name of each feature: a column's own, "colour=red" for a category, "opened.year" for a part of a date. */
export function featureNames(columns: readonly FeatureColumn[]): string[] {
  return columns.flatMap((column) => {
    if (column.kind === "category") return column.categories.map((category) => `${column.name}=${category}`);
    return column.kind === "date" ? column.parts.map((part) => `${column.name}.${part}`) : [column.name];
  });
}

/** Number of features that a column becomes. */
export function featuresOf(column: FeatureColumn): number {
  if (column.kind === "category") return column.categories.length;
  return column.kind === "date" ? column.parts.length : 1;
}

/** Number of features that columns become. */
export function featureCount(columns: readonly FeatureColumn[]): number {
  return columns.reduce((sum, column) => sum + featuresOf(column), 0);
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
  const { columns, label, otherLabels = [], fill } = value;
  if (!Array.isArray(columns) || !columns.every(isFeatureColumn) || columns.length === 0 || !isLabel(label))
    return false;
  if (
    !Array.isArray(otherLabels) ||
    !otherLabels.every(isTargetColumn) ||
    (otherLabels.length > 0 && !isTargetColumn(label))
  )
    return false;
  const isComplete = Array.isArray(fill) && fill.length === featureCount(columns) && fill.every(Number.isFinite);
  return fill === undefined || isComplete;
}

const isFilled = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const isColumn = (value: unknown): value is Record<string, unknown> =>
  isFilled(value) && typeof value["name"] === "string" && Number.isSafeInteger(value["position"]);

const isFeatureColumn = (value: unknown): value is FeatureColumn => {
  if (!isColumn(value)) return false;
  if (value["kind"] === "category") return isNames(value["categories"]);
  return value["kind"] === "date" ? isDateFormat(value) : value["kind"] === "number" && isFormat(value["format"]);
};

const isFormat = (value: unknown): boolean =>
  value === undefined ||
  (isFilled(value) &&
    (value["decimal"] === "point" || value["decimal"] === "comma") &&
    (value["unit"] === undefined || typeof value["unit"] === "string"));

const isDateFormat = ({ order, parts }: Record<string, unknown>): boolean =>
  ["ymd", "dmy", "mdy"].includes(order as string) &&
  isNames(parts) &&
  (parts as never[]).every((part) => dateParts.includes(part));

const isTargetColumn = (value: unknown): value is TargetColumn =>
  isColumn(value) &&
  value["kind"] === "number" &&
  Number.isFinite(value["mean"]) &&
  (value["deviation"] as number) > 0 &&
  isFormat(value["format"]);

const isLabel = (value: unknown): value is LabelColumn =>
  isTargetColumn(value) ||
  (isColumn(value) && value["kind"] === "class" && isNames(value["classes"]) && isFormat(value["format"]));

const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");
