/*
 * Finds the columns of a table by name or position, and recognizes headers.
 */
import { DataError, excerpt, optionName, OptionError } from "../errors.ts";
import { shortened } from "../text.ts";
import { isMissing } from "./cells.ts";
import { numberSigns } from "./number-format.ts";

/** The names of the label column if none is given. */
const labelNames = ["label", "class", "target", "y"];

/** A table's columns. */
interface Columns {
  readonly names: readonly string[];
  readonly header: boolean;
  /** Where the names are, for messages. */
  readonly where: string;
}

/** Whether a cell is a number in any format. */
const isNumber = (cell: string | undefined) => cell !== undefined && numberSigns([cell]) !== undefined;

const isText = (cell: string | undefined) => cell !== undefined && !isMissing(cell) && !isNumber(cell);

/** The minimum number of consecutive integers that count as a header if every cell of the first row is one. */
const LEAST_NUMBERED = 3;

/**
 * Whether a table's first row is a header: none of its cells is a number, one is text above a number, or it is 0, 1, 2,
 * … or 1, 2, 3, …, as pandas writes columns without names.
 * @param below the rows after it, at least one if there are any
 * @returns "numbers" if only the consecutive integers indicate a header
 */
export function looksLikeHeader(first: readonly string[], below: readonly (readonly string[])[]): boolean | "numbers" {
  if (!first.some(isNumber)) return true;
  if (first.some((cell, index) => isText(cell) && isNumber(below[0]?.[index]))) return true;
  return below.length > 0 && isCounting(first, below) && "numbers";
}

function isCounting(first: readonly string[], below: readonly (readonly string[])[]): boolean {
  const numbers = first.filter(isNumber);
  const texts = first.map((cell, index) => ({ cell, index })).filter(({ cell }) => !isNumber(cell));
  if (numbers.length < (texts.length > 0 ? 2 : LEAST_NUMBERED)) return false;
  const start = numbers[0] === "0" ? 0 : 1;
  if (!numbers.every((cell, index) => cell === String(start + index))) return false;
  // A name occurs once. A category or a missing value in the first row of data usually occurs again.
  return texts.every(({ cell, index }) => below.every((row) => row[index] !== cell));
}

/** Whether a row contains one of the given column names. Positions do not count. */
export function namesIn(first: readonly string[], wanted: readonly (string | undefined)[]): boolean {
  return wanted.some(
    (name) =>
      name !== undefined && name !== "last" && !/^\d+$/.test(name) && first.some((cell) => cell.trim() === name),
  );
}

/** The names of the columns, from the header or by position. */
export function namesFrom(first: readonly string[], header: boolean): string[] {
  return first.map((cell, index) => (header && cell.trim()) || `column ${index + 1}`);
}

/** @throws DataError that names the second of two columns with the same name */
export function requireDistinct(names: readonly string[], where: string): void {
  const seen = new Set<string>();
  const twice = names.findIndex((name) => seen.size === seen.add(name).size);
  if (twice < 0) return;
  throw new DataError({
    where: `${where}, column ${twice + 1}`,
    what: `another column is also named ${excerpt(names[twice])}`,
    fix: "Rename one of them",
  });
}

/**
 * The position of a column, counted from 1.
 * @param wanted a name, a position, or "last"; the label column by default
 * @throws OptionError that lists the columns
 */
export function columnPosition(columns: Columns, wanted: string | undefined, option = "label"): number {
  const { names, where } = columns;
  const found = wanted === undefined ? usualLabel(names) : positionOf(names, wanted);
  if (found !== undefined) return found;
  const short = names.map((name) => shortened(name));
  const known = short.length > 12 ? `${short.slice(0, 10).join(", ")}, … ${short.at(-1)}` : short.join(", ");
  throw new OptionError({
    where: optionName(option),
    what:
      wanted === undefined
        ? `${where}: the label column is not known`
        : `${where}: there is no column ${excerpt(wanted)}`,
    fix: `Give a name, a position in 1 … ${names.length}, or "last". The columns are ${known}`,
  });
}

/**
 * The positions of several columns.
 * @throws OptionError that lists the columns
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
