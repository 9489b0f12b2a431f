/*
 * A table of text becomes examples: each column's kind is found out as its cells come, text becomes one feature for
 * each category, and what is needed to read such columns again is a `TableSchema`.
 */
import { DataError, excerpt, optionName } from "../errors.ts";
import { className, inOrder, isMissing, numberIn } from "./cells.ts";
import type { FeatureColumn } from "./table-schema.ts";
import { columnPosition, columnsOf, looksLikeHeader, namesFrom, requireDistinct } from "./table-columns.ts";
import { ValueList } from "./values.ts";

/** How a table is to be understood. */
export interface TableOptions {
  /** The file's name, for messages. */
  readonly name: string;
  /** The column to predict: its name, its position counted from 1, or "last"; by default one named label, class, target or y. */
  readonly label?: string;
  /** Whether the first row names the columns; by default found out by `looksLikeHeader`. */
  readonly header?: boolean;
  /** Columns to leave out, by name or position. */
  readonly drop?: readonly string[];
  /** Columns whose numbers are categories, by name or position. */
  readonly categorical?: readonly string[];
  /** What becomes of a column of text; "one-hot" by default. */
  readonly text?: "one-hot" | "refuse";
  /** Whether a cell without a value is refused, which is the default; else its features are NaN. */
  readonly missing?: "refuse" | "keep";
  /** The most categories of a column, at least 1; 100 by default. More of them are names rather than categories. */
  readonly mostCategories?: number;
}

/** What a table holds, before anything is settled that depends on which examples are for training. */
export interface Table {
  readonly name: string;
  readonly header: boolean;
  /** Number of columns of the table, also those left out. */
  readonly width: number;
  readonly columns: readonly FeatureColumn[];
  readonly label: { readonly name: string; readonly position: number };
  /** Row after row, one value for each feature; NaN where there is none. */
  readonly features: Uint8Array | Float32Array;
  /** The label of each row as an index into `labelNames`. */
  readonly labels: Uint32Array;
  /** The different labels, by their size if they are numbers. */
  readonly labelNames: readonly string[];
}

/** A column while its cells come. */
interface ColumnInProgress {
  readonly name: string;
  readonly position: number;
  kind: FeatureColumn["kind"] | undefined;
  /** In the order of their first cells. */
  readonly categories: Map<string, number>;
}

interface Row {
  readonly cells: readonly string[];
  readonly line: number;
}

/** Takes a table's rows one by one. */
export class TableBuilder {
  readonly #options: TableOptions;
  /** The first row, until the second tells whether it is a header. */
  #first: Row | undefined;
  #header = false;
  #width = 0;
  #columns: ColumnInProgress[] | undefined;
  #label = { name: "", position: 0 };
  readonly #values = new ValueList();
  readonly #labels: number[] = [];
  readonly #labelNames = new Map<string, number>();

  constructor(options: TableOptions) {
    this.#options = options;
  }

  /**
   * @param line the number of the line that the row begins on, for messages
   * @throws DataError naming the line and column of a cell that cannot be used
   */
  add(cells: readonly string[], line: number): void {
    if (this.#columns) return this.#addRow(this.#columns, cells, line);
    if (this.#first) return this.#begin(this.#first, { cells, line });
    this.#first = { cells, line };
  }

  /** @throws DataError where there are no rows, a column without values, or labels of one value only */
  finish(): Table {
    const { name } = this.#options;
    if (!this.#columns && this.#first) this.#begin(this.#first, undefined);
    const columns = this.#columns;
    if (!columns || this.#labels.length === 0) {
      throw new DataError({ where: name, what: "there are no rows of data", fix: "Give a file with at least two examples" });
    }
    const finished = columns.map((column) => this.#finishColumn(column));
    const labelNames = inOrder(this.#labelNames.keys());
    const indexOf = new Map(labelNames.map((label, index) => [label, index]));
    const places = Array.from(this.#labelNames.keys(), (label) => indexOf.get(label)!);
    return {
      name,
      header: this.#header,
      width: this.#width,
      columns: finished,
      label: this.#label,
      features: oneHot(this.#values.values, columns, finished),
      labels: Uint32Array.from(this.#labels, (label) => places[label]!),
      labelNames,
    };
  }

  #begin(first: Row, second: Row | undefined): void {
    const { name, header, label, drop = [], categorical = [] } = this.#options;
    this.#header = header ?? looksLikeHeader(first.cells, second?.cells);
    this.#width = first.cells.length;
    const names = namesFrom(first.cells, this.#header);
    const where = `${name}, line ${first.line}`;
    if (this.#header) requireDistinct(names, where);
    const columns = { names, header: this.#header, where };
    const labelled = columnPosition(columns, label);
    this.#label = { name: names[labelled - 1]!, position: labelled };
    const dropped = columnsOf(columns, drop, "drop");
    const asCategories = columnsOf(columns, categorical, "categorical");
    const kept = names.map((column, index) => ({ name: column, position: index + 1 }));
    this.#columns = kept
      .filter(({ position }) => position !== labelled && !dropped.has(position))
      .map((column) => ({
        ...column,
        kind: asCategories.has(column.position) ? "category" : undefined,
        categories: new Map(),
      }));
    if (this.#columns.length === 0) {
      throw new DataError({ where, what: "there is no column besides the label", fix: "Give columns to learn from, or another delimiter" });
    }
    if (!this.#header) this.#addRow(this.#columns, first.cells, first.line);
    if (second) this.#addRow(this.#columns, second.cells, second.line);
  }

  #addRow(columns: readonly ColumnInProgress[], cells: readonly string[], line: number): void {
    const { name } = this.#options;
    if (cells.length !== this.#width) throw raggedRow(name, line, cells.length, this.#width);
    const label = cells[this.#label.position - 1]!;
    if (isMissing(label)) {
      throw new DataError({ where: cellPlace(name, line, this.#label), what: "the label is missing", fix: "Leave such rows out" });
    }
    this.#labels.push(indexIn(this.#labelNames, className(label)));
    for (const column of columns) this.#values.push(this.#valueOf(column, cells[column.position - 1]!, line));
  }

  #valueOf(column: ColumnInProgress, cell: string, line: number): number {
    if (column.kind !== "category") {
      const value = numberIn(cell);
      if (!Number.isNaN(value)) {
        column.kind = "number";
        return value;
      }
    }
    if (isMissing(cell)) {
      if (this.#options.missing === "keep") return NaN;
      throw missingValue(this.#options.name, line, column);
    }
    if (column.kind === "number") throw notANumber(this.#options.name, line, column, cell);
    if (column.kind === undefined) this.#requireTextAllowed(column, cell, line);
    column.kind = "category";
    return this.#categoryOf(column, cell, line);
  }

  #requireTextAllowed(column: ColumnInProgress, cell: string, line: number): void {
    if (this.#options.text !== "refuse") return;
    throw new DataError({
      where: cellPlace(this.#options.name, line, column),
      what: `${excerpt(cell)} is no number, and columns of text are refused`,
      fix: `Leave the column out with ${optionName("drop", [inList(column)])}`,
    });
  }

  #categoryOf(column: ColumnInProgress, cell: string, line: number): number {
    const { mostCategories = 100, name } = this.#options;
    const category = indexIn(column.categories, className(cell));
    if (category < mostCategories) return category;
    throw new DataError({
      where: cellPlace(name, line, column),
      what: `the column has more than ${mostCategories} different texts, so they are names rather than categories`,
      fix: `Leave it out with ${optionName("drop", [inList(column)])}, or allow more with ${optionName("mostCategories")}`,
    });
  }

  #finishColumn({ name, position, kind, categories }: ColumnInProgress): FeatureColumn {
    if (kind === "number") return { name, position, kind };
    if (kind === "category" && categories.size > 0) return { name, position, kind, categories: inOrder(categories.keys()) };
    throw new DataError({
      where: `${this.#options.name}, column ${position} (${excerpt(name)})`,
      what: "the column has no values",
      fix: `Leave it out with ${optionName("drop", [inList({ name, position })])}`,
    });
  }
}

/** The index of a name in the order of first sight; a new one at the end. */
function indexIn(names: Map<string, number>, name: string): number {
  const found = names.get(name);
  if (found !== undefined) return found;
  names.set(name, names.size);
  return names.size - 1;
}

/** Rows of one value a column as rows of one value a feature. */
function oneHot(
  values: Uint8Array | Float32Array,
  before: readonly ColumnInProgress[],
  columns: readonly FeatureColumn[],
): Uint8Array | Float32Array {
  if (columns.every(({ kind }) => kind === "number")) return values;
  const featuresOf = columns.map((column, index) => featuresOfColumn(column, before[index]!));
  const width = columns.reduce((sum, column) => sum + (column.kind === "number" ? 1 : column.categories.length), 0);
  const rows = values.length / columns.length;
  const result = values instanceof Uint8Array ? new Uint8Array(rows * width) : new Float32Array(rows * width);
  let at = 0;
  for (let index = 0; index < values.length; index++) at += featuresOf[index % columns.length]!(values[index]!, result, at);
  return result;
}

type WriteFeatures = (value: number, target: Uint8Array | Float32Array, at: number) => number;

/** How one column's value becomes features, and how many. */
function featuresOfColumn(column: FeatureColumn, { categories: seen }: ColumnInProgress): WriteFeatures {
  if (column.kind === "number") {
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

/** Where a cell stands, for messages. */
export function cellPlace(file: string, line: number, { position, name }: { position: number; name: string }): string {
  return `${file}, line ${line}, column ${position} (${excerpt(name)})`;
}

/** A column as a list names it: by its position where its name has a comma, which parts the list of a command line. */
const inList = ({ name, position }: { name: string; position: number }) => (name.includes(",") ? String(position) : name);

export const raggedRow = (file: string, line: number, found: number, expected: number): DataError =>
  new DataError({
    where: `${file}, line ${line}, column ${Math.min(found, expected) + 1}`,
    what: `the row has ${found} ${found === 1 ? "column" : "columns"} where ${expected} were expected`,
    fix: "Give every row the same columns, and quote cells that hold the delimiter",
  });

export const missingValue = (file: string, line: number, column: { position: number; name: string }): DataError =>
  new DataError({
    where: cellPlace(file, line, column),
    what: "the value is missing",
    fix: `Train with ${optionName("missing", "keep")} to fill such cells, or leave the row or the column out`,
  });

const notANumber = (file: string, line: number, column: { position: number; name: string }, cell: string): DataError =>
  new DataError({
    where: cellPlace(file, line, column),
    what: `${excerpt(cell.slice(0, 40))} is no number, but the cells before it are`,
    fix: `Correct the cell, or take the column as categories with ${optionName("categorical", [inList(column)])}`,
  });
