/*
 * Dates in cells of a table, and their conversion to numbers.
 */

/** The order in which year, month and day are written. */
export type DateOrder = "ymd" | "dmy" | "mdy";

/** The numbers that a date is converted to. Weekdays are 1 (Monday) to 7 (Sunday). */
export type DatePart = "year" | "month" | "day" | "weekday" | "hour";

export const dateParts: readonly DatePart[] = ["year", "month", "day", "weekday", "hour"];

/** How the dates of a column are written, and the numbers that they are converted to. */
export interface DateFormat {
  readonly order: DateOrder;
  readonly parts: readonly DatePart[];
}

const time = String.raw`(?:[T\s]\s*(?<hour>\d{1,2}):(?<minute>\d{2})(?::\d{2}(?:[.,]\d+)?)?\s*(?<half>[ap]m)?\s*(?:Z|[-+]\d{2}:?\d{2})?)?`;
const yearFirst = new RegExp(
  String.raw`^(?<year>\d{4})(?:(?<sign>[-/.])(?<month>\d{1,2})\k<sign>(?<day>\d{1,2})|(?<compact>\d{4}))${time}$`,
  "i",
);
const yearLast = new RegExp(
  String.raw`^(?:(?<one>\d{1,2})(?<sign>[-/.])(?<two>\d{1,2})\k<sign>(?<year>\d{4})|(?<first>\d{2})(?<mark>[-/.])(?<second>\d{2})\k<mark>(?<short>\d{2}))${time}$`,
  "i",
);

type DateNumbers = Readonly<Record<DatePart, number>>;

/**
 * Parses a date such as 2024-01-31, 31.01.2024, 1/31/24 or 20240131, optionally with a time of day. The hour is as
 * written; time zones are ignored.
 * @returns undefined for anything else, including days that do not exist
 */
export function dateIn(cell: string, order: DateOrder): DateNumbers | undefined {
  const text = cell.trim();
  const groups = (order === "ymd" ? yearFirst : yearLast).exec(text)?.groups;
  if (!groups) return undefined;
  const [year, month, day] = order === "ymd" ? ymd(groups) : withYearLast(groups, order);
  const hour = hourOf(groups);
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists = year >= 1000 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || hour > 23 || Number(groups["minute"] ?? 0) > 59) return undefined;
  return { year, month, day, weekday: date.getUTCDay() || 7, hour };
}

type Groups = Readonly<Record<string, string | undefined>>;

function ymd({ year, month, day, compact }: Groups): [number, number, number] {
  const [m, d] = compact === undefined ? [month, day] : [compact.slice(0, 2), compact.slice(2)];
  const isLikely = compact === undefined || (Number(year) >= 1900 && Number(year) <= 2100);
  return [isLikely ? Number(year) : 0, Number(m), Number(d)];
}

function withYearLast({ one, two, year, first, second, short }: Groups, order: DateOrder): [number, number, number] {
  const [a, b] = [Number(one ?? first), Number(two ?? second)];
  // Two-digit years as in POSIX: 69 … 99 belong to the 20th century.
  const full = year === undefined ? Number(short) + (Number(short) < 69 ? 2000 : 1900) : Number(year);
  return order === "dmy" ? [full, b, a] : [full, a, b];
}

function hourOf({ hour = "0", half }: Groups): number {
  if (half === undefined) return Number(hour);
  return Number(hour) > 12 ? NaN : (Number(hour) % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
}

/** The minimum number of cells such as 20240131 for which a column is recognized as dates. */
const LEAST_COMPACT = 5;

/**
 * Detects how a column writes its dates. If days and months cannot be distinguished, the day comes first in dates with
 * points, and the month otherwise.
 * @param cells the cells that have a value
 * @returns undefined if a cell is not a date
 */
export function dateFormat(cells: readonly string[]): DateFormat | undefined {
  const [first] = cells;
  if (first === undefined || !/^\s*\d/.test(first) || (/^\s*\d+\s*$/.test(first) && cells.length < LEAST_COMPACT))
    return undefined;
  const orders: DateOrder[] = first.includes(".") ? ["ymd", "dmy", "mdy"] : ["ymd", "mdy", "dmy"];
  const order = orders.find((candidate) => cells.every((cell) => dateIn(cell, candidate)));
  if (order === undefined) return undefined;
  const hasTime = cells.some((cell) => cell.includes(":"));
  return { order, parts: dateParts.filter((part) => part !== "hour" || hasTime) };
}
