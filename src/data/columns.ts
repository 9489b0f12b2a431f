/*
 * All data sets as named columns, which is how training takes batches of them: `features` with `labels` or `targets`, or
 * the tensors of a data set of tensors.
 */
import { isRegression, type AnyDataset, type RowDataset } from "./dataset.ts";
import type { ExampleTensor, TensorElements } from "./tensor-dataset.ts";
import { describeText, isText, windowsOf } from "./text/windows.ts";

/** The type of a column's elements, as they are stored. */
export type ColumnType = "float32" | "uint32" | "uint8";

/** A column without its values. */
export interface ColumnDescription {
  /** The shape of one example. */
  readonly shape: readonly number[];
  readonly dtype: ColumnType;
}

/** The columns of a data set. */
export type Columns = Readonly<Record<string, ExampleTensor>>;

/** What training needs to know about examples before it sees them. */
export interface DataDescription {
  /** A name for messages. */
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnDescription>>;
  /** The number of classes, if the column `labels` holds classes. */
  readonly classes?: number;
  /** The number of outputs, if the column `targets` holds numbers to predict. */
  readonly outputs?: number;
  /** The labels of a data set of tensors in memory: those of the column `labels`, if it is uint32. */
  readonly labels?: Uint32Array;
  /** The number of different tokens, if the columns are `tokens` and, as `targets`, the tokens that follow them. */
  readonly vocabulary?: number;
}

/** The columns of a data set, in a fixed order. */
export function columnsOf(data: RowDataset): Columns {
  if ("tensors" in data) return data.tensors;
  const { features, shape, weights } = data;
  return {
    features: { values: features, shape },
    ...(isRegression(data)
      ? { targets: { values: data.targets, shape: [data.outputs.length] } }
      : { labels: { values: data.labels, shape: [] } }),
    ...(weights && { weights: { values: weights, shape: [] } }),
  };
}

/** The columns of examples first … first + count − 1. */
export function rowsOf(data: AnyDataset, first: number, count: number): Columns {
  if (isText(data)) return windowsOf(data, first, count);
  const rows = Object.entries(columnsOf(data)).map(([name, { values, shape }]) => {
    const width = widthOf({ shape });
    return [name, { values: values.subarray(first * width, (first + count) * width), shape }] as const;
  });
  return Object.fromEntries(rows);
}

/** Describes a data set. */
export function describeDataset(data: AnyDataset): DataDescription {
  if (isText(data)) return describeText(data);
  const columns = Object.entries(columnsOf(data)).map(([name, { values, shape }]) => {
    return [name, { shape, dtype: typeOf(values) }] as const;
  });
  const labels = "tensors" in data ? data.tensors["labels"]?.values : undefined;
  return {
    name: data.name,
    columns: Object.fromEntries(columns),
    ...("classes" in data && { classes: data.classes.length }),
    ...("outputs" in data && { outputs: data.outputs.length }),
    ...(labels instanceof Uint32Array && { labels }),
  };
}

/** The type of a column with these values. */
export function typeOf(values: TensorElements): ColumnType {
  if (values instanceof Uint8Array) return "uint8";
  return values instanceof Uint32Array ? "uint32" : "float32";
}

/** Zeros for `length` elements of a column. */
export function emptyValues(dtype: ColumnType, length: number): TensorElements {
  if (dtype === "uint8") return new Uint8Array(length);
  return dtype === "uint32" ? new Uint32Array(length) : new Float32Array(length);
}

/** Numbers per example. */
export const widthOf = ({ shape }: { readonly shape: readonly number[] }): number =>
  shape.reduce((product, size) => product * size, 1);
