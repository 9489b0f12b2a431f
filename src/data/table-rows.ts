/*
 * Reads a table whose columns are known from a model's schema, in any order.
 */
import { DataError, excerpt, optionName } from "../errors.ts";
import { shortened } from "../text.ts";
import { isMissing } from "./cells.ts";
import { dateIn } from "./dates.ts";
import { className, numberAs, type NumberFormat } from "./number-format.ts";
import { makeClassificationDataset, makeRegressionDataset, type Dataset } from "./dataset.ts";
import { standardizeTargets } from "./table-data.ts";
import { cellPlace, missingValue, notADate, raggedRow, requireFloat32 } from "./table.ts";
import { looksLikeHeader, namesFrom, requireDistinct } from "./table-columns.ts";
import {
  featureCount,
  featuresOf,
  labelColumns,
  targetColumns,
  type FeatureColumn,
  type LabelColumn,
  type TableSchema,
} from "./table-schema.ts";
import { ValueList } from "./values.ts";

/** Options of `TableRows`. */
export interface TableRowsOptions {
  /** The file's name, for messages. */
  readonly name: string;
  /** Whether the first row is a header. By default it is if the training table had one, or if it looks like one. */
  readonly header?: boolean;
  /** Whether each row must have its labels. */
  readonly labelled: boolean;
}

/** The labels of a row. */
export interface EncodedRow {
  /** The index of its class, or its target in the table's units; undefined if labels are not read. */
  readonly label: number | undefined;
  /** The other targets, for models with several outputs. */
  readonly otherLabels: readonly number[];
}

/** The values of one example by the names of the columns, as JSON has them. */
export type TableRecord = Readonly<Record<string, string | number | boolean | null | undefined>>;

const none: readonly number[] = [];

/** Converts rows to examples according to a schema. Columns that are not in the schema are ignored. */
export class TableRows {
  readonly #schema: TableSchema;
  readonly #options: TableRowsOptions;
  readonly #known: readonly KnownColumn[];
  #begun = false;
  /**
   * For each column of the schema and each label, the index of its cell; −1 for a label that the table does not have.
   */
  #cells: readonly number[] = [];
  #labelCells: readonly number[] = [];
  readonly #labels: readonly LabelColumn[];
  #width = 0;

  constructor(schema: TableSchema, options: TableRowsOptions) {
    this.#schema = schema;
    this.#options = options;
    this.#labels = labelColumns(schema);
    this.#known = schema.columns.map((column) => ({
      column,
      categories: new Map(column.kind === "category" ? column.categories.map((name, index) => [name, index]) : []),
    }));
  }

  /**
   * Converts a row.
   * @param features the list to which the row's features are appended
   * @returns the labels of the row; undefined for the header
   * @throws DataError that names the line and column for an invalid cell, or for missing columns
   */
  encode(cells: readonly string[], line: number, features: ValueList): EncodedRow | undefined {
    if (!this.#begun && this.#begin(cells, line)) return undefined;
    if (cells.length !== this.#width) throw raggedRow(this.#options.name, line, cells.length, this.#width);
    const first = features.length;
    this.#known.forEach((known, index) => {
      const at = this.#cells[index]!;
      const filled = this.#encodeCell(
        known,
        cells[at]!,
        { row: line, name: known.column.name, position: at + 1 },
        features,
      );
      for (let count = 0; count < filled; count++) features.push(this.#schema.fill![features.length - first]!);
    });
    if (!this.#options.labelled) return { label: undefined, otherLabels: none };
    const [label, ...otherLabels] = this.#labels.map((_, index) => this.#labelOf(cells, index, line));
    return { label, otherLabels };
  }

  /**
   * Converts a record: values by the names of the columns. Numbers are taken as they are; text is read as a cell is; null
   * is a missing value.
   * @param number the number of the record, for messages
   * @param features the list to which the record's features are appended
   * @throws DataError that names the record and the column for a value that is absent, missing or invalid
   */
  encodeRecord(record: TableRecord, number: number, features: ValueList): void {
    const first = features.length;
    if (typeof record !== "object" || record === null) {
      const where = `${this.#options.name}, record ${number}`;
      throw new DataError({ where, what: `${excerpt(record)} is not a record`, fix: "Give an object" });
    }
    this.#known.forEach((known) => {
      const { name, kind } = known.column;
      const place = { row: number, name };
      const value = Object.hasOwn(record, name) ? record[name] : undefined;
      if (value === undefined)
        throw this.#refusal(place, "the record has no such value", "Give it, or null if it is missing");
      if (typeof value === "object" && value !== null)
        throw this.#refusal(place, `${excerpt(value)} is not a value`, "Give a number or a text");
      if (kind === "number" && typeof value === "number" && !Number.isNaN(value)) {
        requireFloat32(Math.fround(value), this.#options.name, number, place, String(value));
        features.push(value);
        return;
      }
      const filled = this.#encodeCell(known, value === null ? "" : String(value), place, features);
      for (let count = 0; count < filled; count++) features.push(this.#schema.fill![features.length - first]!);
    });
  }

  #refusal(place: Place, what: string, fix: string): DataError {
    return new DataError({ where: cellPlace(this.#options.name, place.row, place), what, fix });
  }

  /** Finds the columns. @returns whether the row was a header */
  #begin(cells: readonly string[], line: number): boolean {
    this.#begun = true;
    this.#width = cells.length;
    const isHeader = this.#options.header ?? (this.#schema.header || looksLikeHeader(cells, []) === true);
    if (isHeader && this.#schema.header) this.#placeByName(namesFrom(cells, true), line);
    else this.#placeByPosition(cells.length, line);
    return isHeader;
  }

  #placeByName(names: readonly string[], line: number): void {
    const { columns } = this.#schema;
    const labels = this.#labels.map(({ name }) => name);
    const where = `${this.#options.name}, line ${line}`;
    requireDistinct(names, where);
    const wanted = [...columns.map(({ name }) => name), ...(this.#options.labelled ? labels : [])];
    const placeOf = new Map(names.map((name, index) => [name, index]));
    const missing = wanted.filter((name) => !placeOf.has(name));
    if (missing.length > 0) {
      const listed = missing.slice(0, 8).map(excerpt).join(", ");
      throw new DataError({
        where,
        what: `the header lacks ${missing.length === 1 ? "a column" : `${missing.length} columns`} that the model needs: ${listed}`,
        fix: `Give a table with the columns that the model was trained on, or ${optionName("header", false)} to take them by position`,
      });
    }
    this.#cells = columns.map(({ name }) => placeOf.get(name)!);
    this.#labelCells = labels.map((name) => placeOf.get(name) ?? -1);
  }

  /**
   * Finds the columns by position: the table has all columns of the training table, all except the labels, or only the
   * features.
   */
  #placeByPosition(width: number, line: number): void {
    const { columns, width: trained } = this.#schema;
    const { labelled, name } = this.#options;
    const labels = this.#labels.map(({ position }) => position);
    const unlabelled = trained - labels.length;
    this.#labelCells = labels.map((position) => position - 1);
    if (width === trained) this.#cells = columns.map(({ position }) => position - 1);
    else if (labelled) throw raggedRow(name, line, width, trained);
    else if (width === unlabelled) {
      this.#cells = columns.map(({ position }) => position - 1 - labels.filter((label) => label < position).length);
    } else if (width === columns.length) this.#cells = columns.map((_, index) => index);
    else throw raggedRow(name, line, width, unlabelled);
  }

  /** Appends the features of a cell. @returns how many of them are NaN because the value is missing */
  #encodeCell({ column, categories }: KnownColumn, cell: string, place: Place, features: ValueList): number {
    if (column.kind === "number") {
      const value = numberAs(cell, column.format);
      requireFloat32(value, this.#options.name, place.row, place, cell);
      if (!Number.isNaN(value)) features.push(value);
      else if (!isMissing(cell)) throw this.#notANumber(cell, place, column);
      else return this.#missing(1, place);
      return 0;
    }
    if (isMissing(cell)) return this.#missing(featuresOf(column), place);
    if (column.kind === "date") {
      const date = dateIn(cell, column.order);
      if (!date) throw notADate(this.#options.name, place.row, place, cell, column.order);
      for (const part of column.parts) features.push(date[part]);
      return 0;
    }
    const category = categories.get(className(cell));
    if (category === undefined) throw this.#unknown("category", cell, place, column.categories);
    for (let index = 0; index < categories.size; index++) features.push(index === category ? 1 : 0);
    return 0;
  }

  #missing(count: number, place: Place): number {
    if (!this.#schema.fill) throw missingValue(this.#options.name, place.row, place);
    return count;
  }

  #labelOf(cells: readonly string[], index: number, line: number): number {
    const label = this.#labels[index]!;
    const at = this.#labelCells[index]!;
    const cell = cells[at]!;
    const place = { row: line, name: label.name, position: at + 1 };
    if (isMissing(cell)) {
      const where = cellPlace(this.#options.name, line, place);
      throw new DataError({ where, what: "the label is missing", fix: "Remove such rows" });
    }
    if (label.kind === "class") {
      const found = label.classes.indexOf(className(cell, label.format));
      if (found < 0) throw this.#unknown("label", cell, place, label.classes);
      return found;
    }
    const value = numberAs(cell, label.format);
    requireFloat32(value, this.#options.name, line, place, cell);
    if (Number.isNaN(value)) throw this.#notANumber(cell, place, label);
    return value;
  }

  #notANumber(cell: string, place: Place, { format }: { format?: NumberFormat }): DataError {
    const decimal = format?.decimal === "comma" ? " with decimal commas" : "";
    return new DataError({
      where: cellPlace(this.#options.name, place.row, place),
      what: `${JSON.stringify(cell.slice(0, 40))} is not a number, but the model was trained on numbers${decimal} in this column`,
      fix: "Correct the cell, or remove the row",
    });
  }

  #unknown(what: "category" | "label", cell: string, place: Place, known: readonly string[]): DataError {
    const short = known.map((name) => shortened(name));
    const listed = short.length > 10 ? `${short.slice(0, 9).join(", ")}, …` : short.join(", ");
    return new DataError({
      where: cellPlace(this.#options.name, place.row, place),
      what: `the model does not know the ${what} ${excerpt(cell.trim().slice(0, 40))}; it was trained on ${listed}`,
      fix: "Remove such rows, or train on a table that contains them",
    });
  }
}

/** A cell, with the number of its line, or a value of a record, with the number of the record and without a position. */
interface Place {
  readonly row: number;
  readonly name: string;
  readonly position?: number;
}

interface KnownColumn {
  readonly column: FeatureColumn;
  readonly categories: ReadonlyMap<string, number>;
}

/**
 * Makes a data set of encoded rows. Targets are standardized as in the model's training.
 * @param labels the labels of the rows, as `TableRows.encode` returns them; with several outputs, row-major
 * @throws DataError if there are no rows
 */
export function datasetFromRows(
  name: string,
  features: Uint8Array | Float32Array,
  labels: readonly number[],
  schema: TableSchema,
): Dataset {
  const { columns, label } = schema;
  if (labels.length === 0)
    throw new DataError({ where: name, what: "the table has no rows of data", fix: "Give at least one row" });
  const examples = { name, features, shape: [featureCount(columns)] };
  if (label.kind === "class")
    return makeClassificationDataset({ ...examples, labels: Uint32Array.from(labels), classes: label.classes });
  const outputs = targetColumns(schema);
  const targets = standardizeTargets(Float32Array.from(labels), outputs);
  return makeRegressionDataset({ ...examples, targets, outputs: outputs.map((column) => column.name) });
}

/**
 * The features of records, for `predict`.
 *
 * @example
 * ```ts
 * const schema = tableSchemaFrom(loaded.table, "homes.safetensors");
 * const features = featuresOfRecords(schema, [{ area: 100, city: "Bern", rooms: null }]);
 * const [price] = inUnitsOf(schema, await evaluator.predict(features));
 * ```
 *
 * @param schema how the columns of the training table became features
 * @param records objects with a value for each column of the features; others are ignored
 * @param name what the records are, for messages
 * @returns the features, row-major
 * @throws DataError that names the record and the column for a value that is absent, missing or invalid, or a text that
 * training did not see
 */
export function featuresOfRecords(
  schema: TableSchema,
  records: readonly TableRecord[],
  name = "records",
): Uint8Array | Float32Array {
  const rows = new TableRows(schema, { name, labelled: false });
  const features = new ValueList();
  records.forEach((record, index) => rows.encodeRecord(record, index + 1, features));
  return features.values;
}
