/*
 * How a column writes its numbers: which sign is the decimal one, thousands separators, a currency or percent sign.
 */
import { digitsIn, numberIn } from "./cells.ts";

/** The sign before the decimals. */
export type Decimal = "point" | "comma";

/** How the numbers of a column are written. Without one, they are digits with a decimal point only. */
export interface NumberFormat {
  /** The other sign, spaces and apostrophes may separate thousands. */
  readonly decimal: Decimal;
  /** The currency sign or code that cells may have, or "%", which every cell must have. The value is the number beside it. */
  readonly unit?: string;
}

const unit = String.raw`\p{Sc}|%|EUR|USD|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|BRL`;
const cellPattern = new RegExp(
  String.raw`^([-+]?)\s*(?:(${unit})\s*)?([-+]?)(\d[\d.,'’\s]*|[.,]\d+)(e[-+]?\d+)?\s*(${unit})?$`,
  "iu",
);

/** Digits, alone or in groups of three after a first group that begins with no zero. */
const digitPatterns: Readonly<Record<Decimal, RegExp>> = {
  point: /^(?:(?:\d+|[1-9]\d{0,2}([,'’\s])\d{3}(?:\1\d{3})*)(?:\.\d*)?|\.\d+)$/,
  comma: /^(?:(?:\d+|[1-9]\d{0,2}([.'’\s])\d{3}(?:\1\d{3})*)(?:,\d*)?|,\d+)$/,
};

interface WrittenNumber {
  readonly sign: string;
  readonly digits: string;
  readonly exponent: string;
  readonly unit: string | undefined;
}

function written(cell: string): WrittenNumber | undefined {
  const [, before = "", first, within = "", digits, exponent = "", last] =
    cellPattern.exec(cell.trim().replace("−", "-")) ?? [];
  if (digits === undefined || (before && within) || (first !== undefined && last !== undefined)) return undefined;
  return { sign: before || within, digits: digits.trim(), exponent, unit: (first ?? last)?.toUpperCase() };
}

function valueOf({ sign, digits, exponent }: WrittenNumber, decimal: Decimal): number {
  if (!digitPatterns[decimal].test(digits)) return NaN;
  const plain = digits.replaceAll(decimal === "point" ? /[,'’\s]/g : /[.'’\s]/g, "").replace(",", ".");
  return numberIn(`${sign}${plain}${exponent}`);
}

/**
 * The number that a cell is.
 * @param format how its column writes numbers; by default digits with a decimal point
 * @returns NaN for no number; an infinity for one that float32 cannot hold
 */
export function numberAs(cell: string, format: NumberFormat | undefined): number {
  if (!format) return numberIn(cell);
  const whole = format.unit === "%" ? -1 : digitsIn(cell);
  if (whole >= 0) return whole;
  const parts = written(cell);
  if (!parts || (parts.unit !== format.unit && (parts.unit !== undefined || format.unit === "%"))) return NaN;
  return valueOf(parts, format.decimal);
}

/** What the cells of a column say about how its numbers are written. */
export interface NumberSigns {
  /** What decides between point and comma: cells that only one of them explains; or none, as both read all cells alike or not. */
  readonly decimal: Decimal | "alike" | "ambiguous";
  readonly unit: string | undefined;
  /** Whether every cell is digits with a decimal point. */
  readonly plain: boolean;
  /** A cell for messages that is not plain, or reads differently. */
  readonly example: string | undefined;
}

/**
 * Finds out how a column writes its numbers.
 * @param cells those that have a value
 * @returns undefined where the first cell is no number in any format
 */
export function numberSigns(cells: readonly string[]): NumberSigns | undefined {
  const first = cells[0] === undefined ? undefined : written(cells[0]);
  if (!first || (Number.isNaN(valueOf(first, "point")) && Number.isNaN(valueOf(first, "comma")))) return undefined;
  let [point, comma, differ, plain] = [0, 0, 0, 0];
  let found: string | undefined;
  let example: string | undefined;
  for (const cell of cells) {
    if (digitsIn(cell) >= 0) {
      [point, comma, plain] = [point + 1, comma + 1, plain + 1];
      continue;
    }
    const parts = written(cell);
    if (!parts) continue;
    found ??= parts.unit;
    const [asPoint, asComma] = [valueOf(parts, "point"), valueOf(parts, "comma")];
    if (!Number.isNaN(asPoint)) point++;
    if (!Number.isNaN(asComma)) comma++;
    const isPlain = !Number.isNaN(numberIn(cell));
    if (isPlain) plain++;
    if (asPoint === asComma) continue;
    if (!Number.isNaN(asPoint) && !Number.isNaN(asComma)) differ++;
    if (example === undefined || !isPlain) example = cell.trim();
  }
  const decimal = point === comma ? (differ > 0 ? "ambiguous" : "alike") : point > comma ? "point" : "comma";
  return { decimal, unit: found, plain: plain === cells.length, example };
}

/**
 * The decimal sign of a table: that of the columns where it can be only one.
 * @returns point where columns say nothing, or not the same
 */
export function commonDecimal(columns: readonly (NumberSigns | undefined)[]): Decimal {
  const has = (decimal: Decimal) => columns.some((signs) => signs?.decimal === decimal);
  return has("comma") && !has("point") ? "comma" : "point";
}

/**
 * The format of a column.
 * @param common the decimal sign of the table, which settles what the column leaves open
 * @param asked the decimal sign that is asked for
 */
export function formatOf(signs: NumberSigns, common: Decimal, asked: Decimal | undefined): NumberFormat | undefined {
  const decimal = asked ?? (signs.decimal === "point" || signs.decimal === "comma" ? signs.decimal : common);
  if (asked === undefined && decimal === "point" && signs.plain) return undefined;
  return { decimal, unit: signs.unit };
}

/** A label as the name of its class: numbers in one spelling, so that 1, 1.0 and 01 are one class. */
export function className(cell: string, format?: NumberFormat): string {
  const value = numberAs(cell, format);
  return Number.isFinite(value) ? String(value) : cell.trim();
}
