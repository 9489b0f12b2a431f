/*
 * What is said of a table before training: how its cells were read, and which columns deserve a second look.
 */
import type { Table } from "../../data/table.ts";
import type { TableRemark } from "../../data/table-layout.ts";
import { featuresOf, type FeatureColumn, type TableSchema } from "../../data/table-schema.ts";
import type { Normalization } from "../../data/dataset.ts";
import { count, field } from "../text/text.ts";

/** Names that are listed before the rest is counted. */
const MOST_LISTED = 6;

const listed = (names: readonly string[]) =>
  names.length > MOST_LISTED + 1
    ? `${names.slice(0, MOST_LISTED).join(", ")} and ${count(names.length - MOST_LISTED)} more`
    : names.join(", ");

/** How the table's cells were read, where it is not as plain numbers. */
export function readingNotes(table: Table): string[] {
  const { columns, numberedHeader } = table;
  const numbers = numberClauses(table);
  const texts = columns.filter((column) => column.kind === "category");
  const dates = columns.filter((column) => column.kind === "date");
  return [
    ...(numberedHeader
      ? field("header", "the first row counts 0, 1, 2, … and is taken as names; --no-header takes it as data")
      : []),
    ...(numbers.length > 0 ? field("numbers", `${numbers.join("; ")}; --decimal settles it`) : []),
    ...(texts.length > 0 ? field("text", listed(texts.map(categoriesOf))) : []),
    ...(dates.length > 0 ? field("dates", `as numbers: ${listed(dates.map(partsOf))}`) : []),
  ];
}

/** What was found out of the signs in numbers. */
function numberClauses({ columns, label, otherLabels, remarks }: Table): string[] {
  const features = columns.filter((column) => column.kind === "number");
  const formats = new Map([label, ...otherLabels, ...features].map(({ name, format }) => [name, format]));
  const named = (kind: TableRemark["kind"]) => remarks.filter((remark) => remark.kind === kind);
  const [commas, points, ambiguous] = [named("decimal comma"), named("decimal point"), named("ambiguous")];
  const units = [...new Set([...formats.values()].flatMap((format) => format?.unit ?? []))];
  const columnsOf = (unit: string) => [...formats].filter(([, format]) => format?.unit === unit).map(([name]) => name);
  return [
    ...(commas.length > 0 ? [`decimal commas, such as ${exampleOf(commas)}`] : []),
    ...(points.length > 0 ? [`separated thousands, such as ${exampleOf(points)}`] : []),
    ...units.map((unit) => `${unit} is left out of ${listed(columnsOf(unit))}`),
    ...ambiguous
      .map(({ column, example = "" }) => {
        const isDecimal = (formats.get(column)?.decimal === "comma") === example.includes(",");
        return `${example} in ${column} could be read both ways and is taken with ${isDecimal ? "decimals" : "thousands"}`;
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

/** Names the columns that say nothing, as all rows have the same there. */
export function constantNote({ columns }: TableSchema, { scale }: Normalization): string[] {
  if (typeof scale === "number") return [];
  let at = 0;
  const constants = columns.filter((column) => {
    const scales = scale.slice(at, (at += featuresOf(column)));
    return scales.every((value) => value === 0);
  });
  if (constants.length === 0) return [];
  return field("constant", `taken as 0, because every row has the same: ${listed(constants.map(({ name }) => name))}`);
}

const warnings: Readonly<Record<Doubtful, (names: string, example: string) => string>> = {
  date: (names, example) =>
    `${names}: dates such as ${example} are taken as they stand; --dates features makes numbers of them`,
  "row number": (names) => `${names}: this counts the rows; leave it out with --drop`,
  mixed: (names, example) => `${names}: most texts are numbers; ${example} makes all of them categories`,
  id: (names) => `${names}: almost every row has its own value, like an id; leave it out with --drop`,
};

type Doubtful = Extract<TableRemark["kind"], "date" | "row number" | "id" | "mixed">;

/** Warns of columns that look like dates, row numbers or ids, and of text among numbers. */
export function columnWarnings({ remarks }: Table): string[] {
  return (["date", "row number", "id", "mixed"] as const).flatMap((kind) => {
    const found = remarks.filter((remark) => remark.kind === kind);
    if (found.length === 0) return [];
    return [`warning: ${warnings[kind](listed(found.map(({ column }) => column)), found[0]!.example ?? "")}`];
  });
}
