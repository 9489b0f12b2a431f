/*
 * Everything that is needed to convert another table with the same columns to the same features: names, kinds,
 * categories, values for missing cells, and the meaning of the labels. It is plain data, stored as JSON in a model
 * file.
 */
import { DataError } from "../errors.ts";
import { dateParts, type DateFormat } from "./dates.ts";
import type { NumberFormat } from "./number-format.ts";

/** A feature column. */
export type FeatureColumn = {
  /** The name in the header; "column 3" if there is no header. */
  readonly name: string;
  /** The position in the training table, counted from 1. */
  readonly position: number;
} & (
  | { readonly kind: "number"; readonly format?: NumberFormat }
  /** One feature per category: 1 if the cell is that category, else 0. */
  | { readonly kind: "category"; readonly categories: readonly string[] }
  /** One feature per part of the date, such as the year. */
  | ({ readonly kind: "date" } & DateFormat)
);

/** A column of numeric targets. The model is trained on (value − mean) / deviation, and outputs it. */
export interface TargetColumn {
  readonly name: string;
  readonly position: number;
  readonly kind: "number";
  readonly mean: number;
  readonly deviation: number;
  readonly format?: NumberFormat;
}

/** A column to predict. */
export type LabelColumn =
  | {
      readonly name: string;
      readonly position: number;
      readonly kind: "class";
      readonly classes: readonly string[];
      readonly format?: NumberFormat;
    }
  | TargetColumn;

/** The schema of a table: how its columns become features. */
export interface TableSchema {
  /** Whether columns are identified by name; otherwise by position. */
  readonly header: boolean;
  /** The number of columns of the table, including ignored ones. */
  readonly width: number;
  /** In the order of the features. */
  readonly columns: readonly FeatureColumn[];
  readonly label: LabelColumn;
  /**
   * The label columns after `label`, in the order of the outputs. If there are any, all label columns are numeric
   * targets.
   */
  readonly otherLabels?: readonly TargetColumn[];
  /** The value for missing cells, one per feature. Without it, missing values are refused. */
  readonly fill?: readonly number[];
}

/** The label columns, in the order of the outputs. */
export const labelColumns = ({ label, otherLabels = [] }: TableSchema): readonly LabelColumn[] => [
  label,
  ...otherLabels,
];

/** The columns of numeric targets; empty for classification. */
export const targetColumns = (schema: TableSchema): readonly TargetColumn[] =>
  labelColumns(schema).filter((label) => label.kind === "number");

/** The name of each feature: the column's name, "color=red" for a category, "opened.year" for a part of a date. */
export function featureNames(columns: readonly FeatureColumn[]): string[] {
  return columns.flatMap((column) => {
    if (column.kind === "category") return column.categories.map((category) => `${column.name}=${category}`);
    return column.kind === "date" ? column.parts.map((part) => `${column.name}.${part}`) : [column.name];
  });
}

/** The number of features that a column becomes. */
export function featuresOf(column: FeatureColumn): number {
  if (column.kind === "category") return column.categories.length;
  return column.kind === "date" ? column.parts.length : 1;
}

/** The number of features of several columns. */
export function featureCount(columns: readonly FeatureColumn[]): number {
  return columns.reduce((sum, column) => sum + featuresOf(column), 0);
}

/**
 * Checks a schema that was read from a model file.
 * @param where the file, for messages
 * @throws DataError if it is not a schema
 */
export function tableSchemaFrom(value: unknown, where: string): TableSchema {
  if (isSchema(value)) return value;
  throw new DataError({
    where,
    what: 'the metadata\'s entry "table" is not a table schema',
    fix: "Give the file of a model that was trained on a table",
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
