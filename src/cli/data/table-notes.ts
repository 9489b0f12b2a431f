/*
 * Messages about a table before training: how its cells were read, and which columns look suspicious.
 */
import type { Table } from "../../data/table.ts";
import type { TableRemark } from "../../data/table-layout.ts";
import { featuresOf, type FeatureColumn, type TableSchema } from "../../data/table-schema.ts";
import type { Normalization } from "../../data/dataset.ts";
import { count, field } from "../text/text.ts";

/** How many names are listed before the rest is counted. */
const MOST_LISTED = 6;

const listed = (names: readonly string[]) =>
  names.length > MOST_LISTED + 1
    ? `${names.slice(0, MOST_LISTED).join(", ")} and ${count(names.length - MOST_LISTED)} more`
    : names.join(", ");

/** Lines about cells that were not read as plain numbers. */
export function readingNotes(table: Table): string[] {
  const { columns, numberedHeader } = table;
  const numbers = numberClauses(table);
  const texts = columns.filter((column) => column.kind === "category");
  const dates = columns.filter((column) => column.kind === "date");
  return [
    ...(numberedHeader
      ? field("header", "the first row is 0, 1, 2, … and is read as column names; --no-header reads it as data")
      : []),
    ...(numbers.length > 0 ? field("numbers", `${numbers.join("; ")}; --decimal overrides this`) : []),
    ...(texts.length > 0 ? field("text", listed(texts.map(categoriesOf))) : []),
    ...(dates.length > 0 ? field("dates", `converted to numbers: ${listed(dates.map(partsOf))}`) : []),
  ];
}

/** What was detected about separators and units in numbers. */
function numberClauses({ columns, label, otherLabels, remarks }: Table): string[] {
  const features = columns.filter((column) => column.kind === "number");
  const formats = new Map([label, ...otherLabels, ...features].map(({ name, format }) => [name, format]));
  const named = (kind: TableRemark["kind"]) => remarks.filter((remark) => remark.kind === kind);
  const [commas, points, ambiguous] = [named("decimal comma"), named("decimal point"), named("ambiguous")];
  const units = [...new Set([...formats.values()].flatMap((format) => format?.unit ?? []))];
  const columnsOf = (unit: string) => [...formats].filter(([, format]) => format?.unit === unit).map(([name]) => name);
  return [
    ...(commas.length > 0 ? [`decimal commas, such as ${exampleOf(commas)}`] : []),
    ...(points.length > 0 ? [`thousands separators, such as ${exampleOf(points)}`] : []),
    ...units.map((unit) => `${unit} is dropped from ${listed(columnsOf(unit))}`),
    ...ambiguous
      .map(({ column, example = "" }) => {
        const isDecimal = (formats.get(column)?.decimal === "comma") === example.includes(",");
        return `${example} in ${column} is ambiguous and is read with ${isDecimal ? "decimals" : "thousands"}`;
      })
      .slice(0, MOST_LISTED),
  ];
}

const exampleOf = (remarks: readonly TableRemark[]) =>
  `${remarks[0]!.example} in ${listed(remarks.map(({ column }) => column))}`;

const categoriesOf = (column: FeatureColumn) =>
  `${column.name} (${column.kind === "category" ? count(column.categories.length) : 0} categories)`;

const partsOf = (column: FeatureColumn) =>
  `${column.name} (${column.kind === "date" ? `${column.order}: ${column.parts.join(", ")}` : ""})`;

/** A line that names the constant columns. */
export function constantNote({ columns }: TableSchema, { scale }: Normalization): string[] {
  if (typeof scale === "number") return [];
  let at = 0;
  const constants = columns.filter((column) => {
    const scales = scale.slice(at, (at += featuresOf(column)));
    return scales.every((value) => value === 0);
  });
  if (constants.length === 0) return [];
  return field(
    "constant",
    `set to 0, because every row has the same value: ${listed(constants.map(({ name }) => name))}`,
  );
}

const warnings: Readonly<Record<SuspiciousKind, (names: string, example: string) => string>> = {
  date: (names, example) =>
    `${names}: dates such as ${example} are read as text; --dates features converts them to numbers`,
  "row number": (names) => `${names}: this looks like row numbers; ignore it with --drop`,
  mixed: (names, example) =>
    `${names}: most values are numbers, but because of ${example} all of them are read as categories`,
  id: (names) => `${names}: almost every row has a different value, like an id; ignore it with --drop`,
};

type SuspiciousKind = Extract<TableRemark["kind"], "date" | "row number" | "id" | "mixed">;

/** Warnings about columns that look like dates, row numbers or ids, and about text among numbers. */
export function columnWarnings({ remarks }: Table): string[] {
  return (["date", "row number", "id", "mixed"] as const).flatMap((kind) => {
    const found = remarks.filter((remark) => remark.kind === kind);
    if (found.length === 0) return [];
    return [`warning: ${warnings[kind](listed(found.map(({ column }) => column)), found[0]!.example ?? "")}`];
  });
}
