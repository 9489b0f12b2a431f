/*
 * Determines from the first rows of a table whether there is a header, which columns are features and labels, and how
 * each writes its numbers and dates.
 */
import { DataError } from "../errors.ts";
import { isMissing } from "./cells.ts";
import { dateFormat, type DateFormat, type DatePart } from "./dates.ts";
import {
  commonDecimal,
  formatOf,
  numberSigns,
  type Decimal,
  type NumberFormat,
  type NumberSigns,
} from "./number-format.ts";
import { columnPosition, columnsOf, looksLikeHeader, namesFrom, namesIn, requireDistinct } from "./table-columns.ts";
import type { FeatureColumn } from "./table-schema.ts";
import type { TableOptions } from "./table.ts";

export interface Row {
  readonly cells: readonly string[];
  readonly line: number;
}

/** A column while its cells are read. A date column that becomes features is listed once for each of its parts. */
export interface ColumnInProgress {
  readonly name: string;
  readonly position: number;
  kind: FeatureColumn["kind"] | undefined;
  readonly format: NumberFormat | undefined;
  /** The format of its dates, if it is a date column. */
  readonly date: DateFormat | undefined;
  readonly part: DatePart | undefined;
  /** In order of first occurrence. */
  readonly categories: Map<string, number>;
}

/** A label column while its cells are read. */
export interface LabelInProgress {
  readonly name: string;
  readonly position: number;
  readonly format: NumberFormat | undefined;
  /** For each row the index of its label in order of first occurrence. */
  readonly labels: number[];
  readonly names: Map<string, number>;
}

/** A remark about a column. */
export interface TableRemark {
  readonly column: string;
  /**
   * "decimal comma": its numbers have decimal commas; "decimal point": its numbers have thousands separators;
   * "ambiguous": its numbers depend on the decimal separator; "date": its cells are dates that are taken as categories;
   * "row number": it counts the rows; "id": almost every row has a different value; "mixed": it is taken as text
   * although most cells are numbers.
   */
  readonly kind: "decimal comma" | "decimal point" | "ambiguous" | "date" | "row number" | "id" | "mixed";
  /** One of its cells. */
  readonly example?: string;
}

export interface Layout {
  readonly header: boolean;
  /** Whether the header is 0, 1, 2, …, which could also be data. */
  readonly numberedHeader: boolean;
  readonly width: number;
  /** At least one. */
  readonly labels: readonly LabelInProgress[];
  readonly columns: readonly ColumnInProgress[];
  readonly remarks: readonly TableRemark[];
}

/** What the first rows reveal about a column. */
interface Evidence {
  readonly name: string;
  readonly position: number;
  readonly signs: NumberSigns | undefined;
  readonly date: DateFormat | undefined;
}

/**
 * Determines the layout of a table from its first rows.
 * @param rows the first rows, at least one
 * @throws OptionError for a column that does not exist; DataError if two columns have the same name, or there are no
 * features
 */
export function layoutOf(rows: readonly [Row, ...Row[]], options: TableOptions): Layout {
  const [{ cells: first, line }, ...more] = rows;
  const below = more.map(({ cells }) => cells);
  const { name, label, drop = [], categorical = [] } = options;
  const wanted = label === undefined || typeof label === "string" ? [label] : [...new Set(label)];
  const isNamed = namesIn(first, [...wanted, ...drop, ...categorical]);
  const found = looksLikeHeader(first, below);
  const header = options.header ?? (isNamed || found !== false);
  const names = namesFrom(first, header);
  const where = `${name}, line ${line}`;
  if (header) requireDistinct(names, where);
  const columns = { names, header, where };
  const labelled = [...new Set(wanted.map((column) => columnPosition(columns, column)))];
  const dropped = columnsOf(columns, drop, "drop");
  const asCategories = columnsOf(columns, categorical, "categorical");
  const data = header ? below : [first, ...below];
  const known = names.map((column, index) => evidenceOf({ name: column, position: index + 1 }, data));
  const features = known.filter(({ position }) => !labelled.includes(position) && !dropped.has(position));
  if (features.length === 0) {
    throw new DataError({
      where,
      what: "the table has no columns other than the label",
      fix: "Add feature columns, or give another delimiter",
    });
  }
  const asNumbers = features.filter(({ position }) => !asCategories.has(position));
  const labels = labelled.map((position) => known[position - 1]!);
  const read = [...labels, ...asNumbers];
  const asked = options.decimal === "auto" ? undefined : options.decimal;
  const common = commonDecimal(read.map(({ signs }) => signs));
  const inProgress = (evidence: Evidence) =>
    columnsFrom(evidence, { isCategory: asCategories.has(evidence.position), common, asked, options });
  return {
    header,
    numberedHeader: header && options.header === undefined && found === "numbers",
    width: first.length,
    labels: labels.map(({ name: column, position, signs }): LabelInProgress => {
      return { name: column, position, format: signs && formatOf(signs, common, asked), labels: [], names: new Map() };
    }),
    columns: features.flatMap(inProgress),
    remarks: [
      ...read.flatMap((column) => remarksOnSigns(column, common, asked)),
      ...(options.dates === "features" ? [] : asNumbers.filter(({ date }) => date)).map(
        ({ name: column, position }) => ({
          column,
          kind: "date" as const,
          example: data.find((cells) => !isMissing(cells[position - 1] ?? ""))![position - 1]!.trim(),
        }),
      ),
    ],
  };
}

/** A remark on the format of a column's numbers, unless they are digits with decimal points. */
function remarksOnSigns({ name: column, signs }: Evidence, common: Decimal, asked: Decimal | undefined): TableRemark[] {
  if (signs?.example === undefined || (signs.plain && formatOf(signs, common, asked)?.decimal !== "comma")) return [];
  const { decimal, example } = signs;
  if (decimal === "ambiguous" && asked === undefined) return [{ column, kind: "ambiguous", example }];
  const isComma = (asked ?? decimal) === "comma";
  return [{ column, kind: isComma ? "decimal comma" : "decimal point", example }];
}

function evidenceOf(column: Pick<Evidence, "name" | "position">, rows: readonly (readonly string[])[]): Evidence {
  const cells = rows.map((row) => row[column.position - 1] ?? "").filter((cell) => !isMissing(cell));
  return { ...column, signs: numberSigns(cells), date: dateFormat(cells) };
}

interface Choice {
  readonly isCategory: boolean;
  readonly common: Decimal;
  readonly asked: Decimal | undefined;
  readonly options: TableOptions;
}

function columnsFrom(
  { name, position, signs, date }: Evidence,
  { isCategory, common, asked, options }: Choice,
): ColumnInProgress[] {
  // All columns are made by one literal, so that the loop over cells sees objects of one shape.
  const column = (
    kind: ColumnInProgress["kind"],
    format: NumberFormat | undefined,
    part?: DatePart,
  ): ColumnInProgress => ({
    name,
    position,
    kind,
    format,
    date,
    part,
    categories: new Map(),
  });
  if (isCategory) return [column("category", undefined)];
  if (date && options.dates === "features") return date.parts.map((part) => column("date", undefined, part));
  if (signs) return [column("number", formatOf(signs, common, asked))];
  // Only text or missing values so far. Later numbers are read like those in the rest of the table.
  const decimal = asked ?? common;
  return [column(undefined, decimal === "comma" || asked !== undefined ? { decimal } : undefined)];
}
