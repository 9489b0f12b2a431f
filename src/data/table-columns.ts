/*
 * Which column is which.
 */
import { DataError, excerpt, optionName, OptionError } from "../errors.ts";
import { isMissing, numberIn } from "./cells.ts";

/** Names under which a column is taken as the label where none is named. */
const labelNames = ["label", "class", "target", "y"];

/** A table's columns. */
interface Columns {
  readonly names: readonly string[];
  readonly header: boolean;
  /** Where the names come from, for messages. */
  readonly where: string;
}

const isText = (cell: string | undefined) => cell !== undefined && !isMissing(cell) && Number.isNaN(numberIn(cell));

/**
 * Whether a table's first row names its columns: none of its cells is a number, or one is text above a number.
 * @param second the row after it, if there is one
 */
export function looksLikeHeader(first: readonly string[], second: readonly string[] | undefined): boolean {
  if (first.every((cell) => Number.isNaN(numberIn(cell)))) return true;
  return first.some((cell, index) => isText(cell) && second?.[index] !== undefined && !Number.isNaN(numberIn(second[index])));
}

/** The columns' names, from the header or by position. */
export function namesFrom(first: readonly string[], header: boolean): string[] {
  return first.map((cell, index) => (header && cell.trim()) || `column ${index + 1}`);
}

/** @throws DataError naming the second of two columns of one name */
export function requireDistinct(names: readonly string[], where: string): void {
  const seen = new Set<string>();
  const twice = names.findIndex((name) => seen.size === seen.add(name).size);
  if (twice < 0) return;
  throw new DataError({
    where: `${where}, column ${twice + 1}`,
    what: `a second column has the name ${excerpt(names[twice])}`,
    fix: "Rename one of them",
  });
}

/**
 * The position of a column, counted from 1.
 * @param wanted a name, a position, or "last"; the label by default
 * @throws OptionError listing the columns
 */
export function columnPosition(columns: Columns, wanted: string | undefined, option = "label"): number {
  const { names, where } = columns;
  const found = wanted === undefined ? usualLabel(names) : positionOf(names, wanted);
  if (found !== undefined) return found;
  const known = names.length > 12 ? `${names.slice(0, 10).join(", ")}, … ${names.at(-1)}` : names.join(", ");
  throw new OptionError({
    where: optionName(option),
    what: wanted === undefined ? `${where}: which column to predict is not known` : `${where}: there is no column ${excerpt(wanted)}`,
    fix: `Give a name, a position in 1 … ${names.length} or last. The columns are ${known}`,
  });
}

/**
 * The positions of several columns.
 * @throws OptionError listing the columns
 */
export function columnsOf(columns: Columns, wanted: readonly string[], option: string): ReadonlySet<number> {
  return new Set(wanted.map((column) => columnPosition(columns, column, option)));
}

function usualLabel(names: readonly string[]): number | undefined {
  const lower = names.map((name) => name.toLowerCase());
  const found = labelNames.map((name) => lower.indexOf(name)).find((index) => index >= 0);
  return found === undefined ? undefined : found + 1;
}

function positionOf(names: readonly string[], wanted: string): number | undefined {
  const named = names.indexOf(wanted);
  if (named >= 0) return named + 1;
  if (wanted === "last") return names.length;
  const position = /^\d+$/.test(wanted) ? Number(wanted) : 0;
  return position >= 1 && position <= names.length ? position : undefined;
}
