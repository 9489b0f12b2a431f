/*
 * Prepares the parts of a table for training: fills missing values and standardizes, with constants of the training part.
 */
import { excerpt, OptionError } from "../errors.ts";
import { refuseOtherOptions } from "../option-names.ts";
import { columnStandardization, isRegression, type Dataset, type Normalization } from "./dataset.ts";
import { featureMeans, fillMissing, momentsOfTargets, schemaOf, standardizeTargets } from "./table-data.ts";
import { featureCount, type TableSchema } from "./table-schema.ts";
import type { Table } from "./table.ts";

/** The parts that the examples of a table were split into. */
export interface TableParts {
  /** The examples that the constants are measured on. */
  readonly train: Dataset;
  readonly validation?: Dataset | undefined;
  readonly test?: Dataset | undefined;
}

/** The options of `prepareTable`. */
export interface PrepareTableOptions {
  /**
   * What missing values become: the mean of their column over the training part, or 0. By default they are not filled, and
   * refused if features are standardized. `readCsvTable` and `TableBuilder` refuse them by default, too.
   */
  readonly missing?: "mean" | "zero";
  /**
   * Whether features and the targets of a regression are standardized to mean 0 and deviation 1; true by default. The
   * features stay as they are, and `normalization` has the constants; the targets of the parts are changed.
   */
  readonly standardize?: boolean;
}

/** What a model of a table is trained and stored with. */
export interface TableConstantsOfParts {
  /** The option `normalization` of `createTrainer`, and part of the model file. */
  readonly normalization: Normalization;
  /** How rows become features, and outputs become values of the label: `table` of the model file. */
  readonly schema: TableSchema;
}

/**
 * Prepares the parts of a table for training.
 *
 * @example
 * ```ts
 * const table = await readCsvTable("homes.csv", { label: "price", missing: "keep" });
 * const parts = splitDataset(datasetFromTable(table), { validation: 0.2 });
 * const { train, validation, normalization, schema } = prepareTable(table, parts, { missing: "mean" });
 * const trainer = await createTrainer({ ...options, dataset: train, normalization });
 * ```
 *
 * @param table the table that the parts come from
 * @param parts data sets that `datasetFromTable` made, or parts of them; they are not changed
 * @returns the parts to train and evaluate with, and the constants, measured on the training part
 * @throws OptionError for an unknown option, an unknown value of `missing`, or missing values of features that are
 * standardized but not filled
 */
export function prepareTable<Parts extends TableParts>(
  table: Table,
  parts: Parts,
  options: PrepareTableOptions = {},
): { readonly [Part in keyof Parts]: Parts[Part] } & TableConstantsOfParts {
  requirePrepareOptions(options);
  const { missing, standardize = true } = options;
  const { train } = parts;
  if (missing === undefined && standardize) requireNoGaps(parts);
  const width = featureCount(table.columns);
  const fill =
    missing === undefined
      ? undefined
      : missing === "mean"
        ? featureMeans(train.features, width)
        : new Array<number>(width).fill(0);
  const target = isRegression(train) && standardize ? momentsOfTargets(train.targets, train.outputs.length) : undefined;
  const prepared = (data: Dataset): Dataset => {
    const filled = fill ? { ...data, features: withoutGaps(data.features, fill) } : data;
    return target && isRegression(filled) ? { ...filled, targets: standardizeTargets(filled.targets, target) } : filled;
  };
  const entries = Object.entries(parts as TableParts).map(([name, data]: [string, Dataset | undefined]) => [
    name,
    data && prepared(data),
  ]);
  const ready = Object.fromEntries(entries) as { readonly [Part in keyof Parts]: Parts[Part] };
  const normalization = standardize ? columnStandardization(ready.train.features, width) : { scale: 1, offset: 0 };
  return { ...ready, normalization, schema: schemaOf(table, train, { fill, target }) };
}

function requirePrepareOptions(options: PrepareTableOptions): void {
  refuseOtherOptions("prepareTable", options, { missing: true, standardize: true });
  const { missing } = options;
  if (missing === undefined || missing === "mean" || missing === "zero") return;
  const what = `missing is ${excerpt(missing)}`;
  throw new OptionError({ where: "prepareTable", what, fix: 'Give "mean" or "zero", or nothing' });
}

const hasGaps = (features: Dataset["features"]): boolean => features.some(Number.isNaN);

/** With a missing value, the mean of its column would be NaN. */
function requireNoGaps(parts: TableParts): void {
  const found = Object.values(parts as unknown as Record<string, Dataset | undefined>).find(
    (data) => data && hasGaps(data.features),
  );
  if (!found) return;
  const what = `${found.name} has missing values`;
  throw new OptionError({ where: "prepareTable missing", what, fix: 'Give "mean" or "zero"' });
}

function withoutGaps(features: Dataset["features"], fill: readonly number[]): Dataset["features"] {
  if (!hasGaps(features)) return features;
  const filled = features.slice();
  fillMissing(filled, fill);
  return filled;
}
