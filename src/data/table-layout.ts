/*
 * What the first rows of a table say about the rest: whether there is a header, which column is which, and how each
 * writes its numbers and dates.
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

/** A column while its cells come. A column of dates that become features stands once for each of its parts. */
export interface ColumnInProgress {
  readonly name: string;
  readonly position: number;
  kind: FeatureColumn["kind"] | undefined;
  readonly format: NumberFormat | undefined;
  /** How its texts are dates, if they are. */
  readonly date: DateFormat | undefined;
  readonly part: DatePart | undefined;
  /** In the order of their first cells. */
  readonly categories: Map<string, number>;
}

/** A column to predict. */
export interface LabelInProgress {
  readonly name: string;
  readonly position: number;
  readonly format: NumberFormat | undefined;
  /** The index of each row's label in the order of their first cells. */
  readonly labels: number[];
  readonly names: Map<string, number>;
}

/** What is worth knowing about a column. */
export interface TableRemark {
  readonly column: string;
  /**
   * "decimal comma": its numbers have some; "decimal point": they have separated thousands; "ambiguous": they could be
   * read with either decimal sign; "date": its texts are dates, and are taken as categories; "row number": it counts
   * the rows; "id": almost every row has its own value; "mixed": it is taken as text, though most texts are numbers.
   */
  readonly kind: "decimal comma" | "decimal point" | "ambiguous" | "date" | "row number" | "id" | "mixed";
  /** One of its cells. */
  readonly example?: string;
}

export interface Layout {
  readonly header: boolean;
  /** Whether the header is 0, 1, 2, …, which could be data. */
  readonly numberedHeader: boolean;
  readonly width: number;
  /** At least one. */
  readonly labels: readonly LabelInProgress[];
  readonly columns: readonly ColumnInProgress[];
  readonly remarks: readonly TableRemark[];
}

/** What the rows say of a column. */
interface Evidence {
  readonly name: string;
  readonly position: number;
  readonly signs: NumberSigns | undefined;
  readonly date: DateFormat | undefined;
}

/**
 * @param rows the first rows, at least one
 * @throws OptionError for a column that is not there; DataError for columns of one name, and where none is a feature
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
      what: "there is no column besides the label",
      fix: "Give columns to learn from, or another delimiter",
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

/** What is worth saying of a column's numbers: nothing of those that are read as plain ones with decimal points. */
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
  // One literal for all, so that the loop over cells sees objects of one shape.
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
  // Text so far, or no value yet; in that case numbers may come that follow the rest of the table.
  const decimal = asked ?? common;
  return [column(undefined, decimal === "comma" || asked !== undefined ? { decimal } : undefined)];
}
