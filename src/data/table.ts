/*
 * Converts a table of text to examples. The kind of each column is detected while its cells are read, text becomes one
 * feature per category, and a `TableSchema` keeps what is needed to read such a table again.
 */
import { DataError, excerpt, optionName } from "../errors.ts";
import { inOrder, isMissing, numberIn } from "./cells.ts";
import { dateIn, type DateOrder } from "./dates.ts";
import { className, numberAs, numberSigns, type Decimal, type NumberFormat } from "./number-format.ts";
import {
  layoutOf,
  type ColumnInProgress,
  type LabelInProgress,
  type Layout,
  type Row,
  type TableRemark,
} from "./table-layout.ts";
import { remarksOnLabels, remarksOnValues } from "./table-remarks.ts";
import type { FeatureColumn } from "./table-schema.ts";
import { ValueList } from "./values.ts";

/** The options of `TableBuilder`. */
export interface TableOptions {
  /** The file's name, for messages. */
  readonly name: string;
  /**
   * The column to predict: its name, its position counted from 1, or "last". By default the column named label, class,
   * target or y. Several columns are numeric targets that one model predicts together.
   */
  readonly label?: string | readonly string[];
  /** Whether the first row is a header; detected by default. */
  readonly header?: boolean;
  /** Columns to ignore, by name or position. */
  readonly drop?: readonly string[];
  /** Columns whose numbers are categories, by name or position. */
  readonly categorical?: readonly string[];
  /** How to handle text columns; "one-hot" by default. */
  readonly text?: "one-hot" | "refuse";
  /** Whether missing values are refused, which is the default, or become NaN. */
  readonly missing?: "refuse" | "keep";
  /**
   * The maximum number of categories of a column, at least 1; 100 by default. A column with more is refused, as it
   * probably contains names.
   */
  readonly mostCategories?: number;
  /**
   * The decimal separator. "auto", the default, detects it per column from the first rows. An ambiguous column follows
   * the other columns; if all are ambiguous, the point is the decimal separator and commas separate thousands.
   */
  readonly decimal?: Decimal | "auto";
  /** What date columns become: categories, or numbers for year, month, day, weekday and hour. */
  readonly dates?: "categories" | "features";
}

/** A label column. */
export interface TableLabel {
  readonly name: string;
  readonly position: number;
  readonly format?: NumberFormat;
  /** For each row the index of its label in `names`. */
  readonly labels: Uint32Array;
  /** The distinct labels, sorted by value if they are numbers. */
  readonly names: readonly string[];
}

/** The contents of a table, before anything that depends on the split into training and validation examples. */
export interface Table {
  readonly name: string;
  readonly header: boolean;
  /** The number of columns of the table, including ignored ones. */
  readonly width: number;
  readonly columns: readonly FeatureColumn[];
  readonly label: Pick<TableLabel, "name" | "position" | "format">;
  /** Row-major, one value per feature; NaN if the value is missing. */
  readonly features: Uint8Array | Float32Array;
  /** For each row the index of its label in `labelNames`. */
  readonly labels: Uint32Array;
  /** The distinct labels, sorted by value if they are numbers. */
  readonly labelNames: readonly string[];
  /** The label columns after the first. */
  readonly otherLabels: readonly TableLabel[];
  /** Whether a header of the form 0, 1, 2, … was detected, which could also be data. */
  readonly numberedHeader: boolean;
  readonly remarks: readonly TableRemark[];
}

/** The maximum number of rows and cells that are used to determine the columns; at least two rows are used. */
const SAMPLE_ROWS = 2000;
const SAMPLE_CELLS = 100_000;

/** Builds a table row by row. */
export class TableBuilder {
  readonly #options: TableOptions;
  /** The first rows, until there are enough to determine the columns. */
  #sample: Row[] = [];
  #layout: Layout | undefined;
  readonly #values = new ValueList();

  constructor(options: TableOptions) {
    this.#options = options;
  }

  /**
   * Adds a row.
   * @param line the number of the row's first line, for messages
   * @throws DataError that names the line and column of an invalid cell
   */
  add(cells: readonly string[], line: number): void {
    if (this.#layout) return this.#addRow(this.#layout, cells, line);
    this.#sample.push({ cells, line });
    const rows = this.#sample.length;
    if (rows >= 2 && (rows >= SAMPLE_ROWS || rows * cells.length >= SAMPLE_CELLS)) this.#begin();
  }

  /** @throws DataError if there are no rows, a column has no values, or all labels are equal */
  finish(): Table {
    const { name } = this.#options;
    const layout = this.#layout ?? this.#begin();
    if (!layout || layout.labels[0]!.labels.length === 0) {
      throw new DataError({
        where: name,
        what: "the table has no rows of data",
        fix: "Give a file with at least two examples",
      });
    }
    const { header, numberedHeader, width, columns } = layout;
    const finished = columns.map((column) => this.#finishColumn(column));
    const [label, ...otherLabels] = layout.labels.map(finishLabel);
    const { labels, names: labelNames, ...place } = label!;
    const values = this.#values.values;
    return {
      name,
      header,
      width,
      columns: finished.filter((_, index) => isFirstOfItsColumn(columns, index)),
      label: place,
      features: oneHot(values, columns, finished),
      labels,
      labelNames,
      otherLabels,
      numberedHeader,
      remarks: [...layout.remarks, ...remarksOnValues(values, columns), ...remarksOnLabels(layout.labels)],
    };
  }

  #begin(): Layout | undefined {
    const [first, ...more] = this.#sample;
    if (!first) return undefined;
    this.#sample = [];
    const layout = layoutOf([first, ...more], this.#options);
    this.#layout = layout;
    for (const { cells, line } of layout.header ? more : [first, ...more]) this.#addRow(layout, cells, line);
    return layout;
  }

  #addRow({ width, labels, columns }: Layout, cells: readonly string[], line: number): void {
    if (cells.length !== width) throw raggedRow(this.#options.name, line, cells.length, width);
    for (const label of labels) this.#addLabel(label, cells[label.position - 1]!, line);
    for (const column of columns) this.#values.push(this.#valueOf(column, cells[column.position - 1]!, line));
  }

  #addLabel(label: LabelInProgress, cell: string, line: number): void {
    const { name } = this.#options;
    if (isMissing(cell)) {
      throw new DataError({
        where: cellPlace(name, line, label),
        what: "the label is missing",
        fix: "Remove such rows",
      });
    }
    const value = numberAs(cell, label.format);
    requireFloat32(value, name, line, label, cell);
    label.labels.push(indexIn(label.names, Number.isNaN(value) ? cell.trim() : String(value)));
  }

  #valueOf(column: ColumnInProgress, cell: string, line: number): number {
    if (column.kind !== "category" && column.kind !== "date") {
      const value = column.format ? numberAs(cell, column.format) : numberIn(cell);
      if (Number.isFinite(value)) {
        if (column.kind === undefined) column.kind = "number";
        return value;
      }
      requireFloat32(value, this.#options.name, line, column, cell);
    }
    const { name, missing } = this.#options;
    if (isMissing(cell)) {
      if (missing === "keep") return NaN;
      throw missingValue(name, line, column);
    }
    if (column.kind === "date") return datePartOf(column, cell, name, line);
    if (column.kind === "number") throw notANumber(name, line, column, cell);
    if (column.kind === undefined) this.#requireTextAllowed(column, cell, line);
    column.kind = "category";
    return this.#categoryOf(column, cell, line);
  }

  #requireTextAllowed(column: ColumnInProgress, cell: string, line: number): void {
    if (this.#options.text !== "refuse") return;
    throw new DataError({
      where: cellPlace(this.#options.name, line, column),
      what: `${excerpt(cell)} is not a number, and text columns are refused`,
      fix: `Ignore the column with ${optionName("drop", [inList(column)])}`,
    });
  }

  #categoryOf(column: ColumnInProgress, cell: string, line: number): number {
    const { mostCategories = 100, name } = this.#options;
    const category = indexIn(column.categories, className(cell));
    if (category < mostCategories) return category;
    const out = `${column.date ? `Convert its dates to numbers with ${optionName("dates", "features")}, ignore` : "Ignore"} it with ${optionName("drop", [inList(column)])}`;
    throw new DataError({
      where: cellPlace(name, line, column),
      what: `the column has more than ${mostCategories} distinct texts, too many for categories`,
      fix: `${out}, or raise the limit with ${optionName("mostCategories")}`,
    });
  }

  #finishColumn({ name, position, kind, categories, format, date }: ColumnInProgress): FeatureColumn {
    if (kind === "number") return { name, position, kind, format };
    if (kind === "date") return { name, position, kind, ...date! };
    if (kind === "category" && categories.size > 0)
      return { name, position, kind, categories: inOrder(categories.keys()) };
    throw new DataError({
      where: `${this.#options.name}, column ${position} (${excerpt(name)})`,
      what: "the column has no values",
      fix: `Ignore it with ${optionName("drop", [inList({ name, position })])}`,
    });
  }
}

/** A date column is listed once for each of its parts. */
const isFirstOfItsColumn = (columns: readonly ColumnInProgress[], index: number) =>
  columns[index]!.position !== columns[index - 1]?.position;

function finishLabel({ name, position, format, labels, names: seen }: LabelInProgress): TableLabel {
  const names = inOrder(seen.keys());
  const indexOf = new Map(names.map((label, index) => [label, index]));
  const places = Array.from(seen.keys(), (label) => indexOf.get(label)!);
  return { name, position, format, labels: Uint32Array.from(labels, (label) => places[label]!), names };
}

/** The index of a name in order of first occurrence. A new name is appended. */
function indexIn(names: Map<string, number>, name: string): number {
  const found = names.get(name);
  if (found !== undefined) return found;
  names.set(name, names.size);
  return names.size - 1;
}

/** Converts rows with one value per column to rows with one value per feature. */
function oneHot(
  values: Uint8Array | Float32Array,
  before: readonly ColumnInProgress[],
  columns: readonly FeatureColumn[],
): Uint8Array | Float32Array {
  if (columns.every(({ kind }) => kind !== "category")) return values;
  const featuresOf = columns.map((column, index) => featuresOfColumn(column, before[index]!));
  const width = columns.reduce((sum, column) => sum + (column.kind === "category" ? column.categories.length : 1), 0);
  const rows = values.length / columns.length;
  const result = values instanceof Uint8Array ? new Uint8Array(rows * width) : new Float32Array(rows * width);
  let at = 0;
  for (let index = 0; index < values.length; index++)
    at += featuresOf[index % columns.length]!(values[index]!, result, at);
  return result;
}

type WriteFeatures = (value: number, target: Uint8Array | Float32Array, at: number) => number;

/** How the value of a column becomes features, and how many. */
function featuresOfColumn(column: FeatureColumn, { categories: seen }: ColumnInProgress): WriteFeatures {
  if (column.kind !== "category") {
    return (value, target, at) => {
      target[at] = value;
      return 1;
    };
  }
  const { categories } = column;
  const places = Array.from(seen.keys(), (category) => categories.indexOf(category));
  return (value, target, at) => {
    if (Number.isNaN(value)) target.fill(NaN, at, at + categories.length);
    else target[at + places[value]!] = 1;
    return categories.length;
  };
}

/** The column of a value, for messages. A record has names only, and no positions. */
interface ColumnPlace {
  readonly name: string;
  readonly position?: number;
}

/**
 * Where a value is, for messages.
 * @param row the number of the line, or of the record if the column has no position
 */
export function cellPlace(file: string, row: number, { position, name }: ColumnPlace): string {
  if (position === undefined) return `${file}, record ${row}, ${excerpt(name)}`;
  return `${file}, line ${row}, column ${position} (${excerpt(name)})`;
}

/** A longer name of a column makes a message hard to read. */
const LONGEST_NAME = 60;

/**
 * A column in a list of columns: by name, or by position if the name is long or contains a comma, which separates lists on
 * the command line.
 */
const inList = ({ name, position }: { name: string; position: number }) =>
  name.length > LONGEST_NAME || name.includes(",") ? String(position) : name;

/** @throws DataError for a number outside the range of float32 */
export function requireFloat32(value: number, file: string, line: number, column: ColumnPlace, cell: string): void {
  if (Math.abs(value) !== Infinity) return;
  throw new DataError({
    where: cellPlace(file, line, column),
    what: `${excerpt(cell.trim().slice(0, 40))} is outside the range of float32 (±3.4e38)`,
    fix: "Correct the cell, use a larger unit for the column, or remove the row or the column",
  });
}

/** @throws DataError for a cell that is not a date in the format of its column */
function datePartOf(
  { name, position, date, part }: ColumnInProgress,
  cell: string,
  file: string,
  line: number,
): number {
  const found = dateIn(cell, date!.order);
  if (found) return found[part!];
  throw notADate(file, line, { name, position }, cell, date!.order);
}

const orderNames = { ymd: "year, month, day", dmy: "day, month, year", mdy: "month, day, year" } as const;

export const notADate = (file: string, line: number, column: ColumnPlace, cell: string, order: DateOrder): DataError =>
  new DataError({
    where: cellPlace(file, line, column),
    what: `${excerpt(cell.slice(0, 40))} is not a date in the order ${orderNames[order]} of this column`,
    fix: "Correct the cell, or remove the row",
  });

export const raggedRow = (file: string, line: number, found: number, expected: number): DataError =>
  new DataError({
    where: `${file}, line ${line}, column ${Math.min(found, expected) + 1}`,
    what: `the row has ${found} ${found === 1 ? "column" : "columns"} but ${expected} were expected`,
    fix: "Give every row the same number of columns, and quote cells that contain the delimiter",
  });

export const missingValue = (file: string, line: number, column: ColumnPlace): DataError =>
  new DataError({
    where: cellPlace(file, line, column),
    what: "the value is missing",
    fix: `Train with ${optionName("missing", "keep")} to fill such cells, or remove the row or the column`,
  });

function notANumber(file: string, line: number, { name, position, format }: ColumnInProgress, cell: string): DataError {
  const text = excerpt(cell.slice(0, 40));
  const signs = `decimal ${format?.decimal ?? "point"}s${format?.unit === undefined ? "" : ` and ${format.unit}`}`;
  const isWrittenOtherwise = numberSigns([cell]) !== undefined;
  return new DataError({
    where: cellPlace(file, line, { name, position }),
    what: isWrittenOtherwise
      ? `${text} does not have the number format of this column, which has ${signs}`
      : `${text} is not a number, but other cells of the column are`,
    fix: `Correct the cell${isWrittenOtherwise ? `, set the decimal separator with ${optionName("decimal")}` : ""}, or treat the column as categories with ${optionName("categorical", [inList({ name, position })])}`,
  });
}
