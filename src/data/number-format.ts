/*
 * How a column writes its numbers: the decimal separator, thousands separators, a currency or percent sign.
 */
import { digitsIn, numberIn } from "./cells.ts";

/** The decimal separator. */
export type Decimal = "point" | "comma";

/** How the numbers of a column are written. Without a format, they are digits with a decimal point. */
export interface NumberFormat {
  /** The other sign, spaces and apostrophes may separate thousands. */
  readonly decimal: Decimal;
  /**
   * A currency sign or code, which cells may have, or "%", which every cell must have. It does not change the value.
   */
  readonly unit?: string;
}

const unit = String.raw`\p{Sc}|%|EUR|USD|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|BRL`;
const cellPattern = new RegExp(
  String.raw`^([-+]?)\s*(?:(${unit})\s*)?([-+]?)(\d[\d.,'’\s]*|[.,]\d+)(e[-+]?\d+)?\s*(${unit})?$`,
  "iu",
);

/** Digits, alone or in groups of three, where the first group does not start with 0. */
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
 * The number in a cell.
 * @param format how its column writes numbers; by default digits with a decimal point
 * @returns NaN if the cell is not a number; ±Infinity for a number outside the range of float32
 */
export function numberAs(cell: string, format: NumberFormat | undefined): number {
  if (!format) return numberIn(cell);
  const whole = format.unit === "%" ? -1 : digitsIn(cell);
  if (whole >= 0) return whole;
  const parts = written(cell);
  if (!parts || (parts.unit !== format.unit && (parts.unit !== undefined || format.unit === "%"))) return NaN;
  return valueOf(parts, format.decimal);
}

/** What the cells of a column reveal about the format of its numbers. */
export interface NumberSigns {
  /**
   * The separator for which more cells are numbers; "alike" if both give the same values, "ambiguous" if they give
   * different ones.
   */
  readonly decimal: Decimal | "alike" | "ambiguous";
  readonly unit: string | undefined;
  /** Whether every cell consists of digits with a decimal point. */
  readonly plain: boolean;
  /** A cell for messages that is not plain, or depends on the separator. */
  readonly example: string | undefined;
}

/**
 * Detects how a column writes its numbers.
 * @param cells the cells that have a value
 * @returns undefined if the first cell is not a number in any format
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
 * The decimal separator of a table, from the columns that are unambiguous.
 * @returns "point" if no column is unambiguous, or if they disagree
 */
export function commonDecimal(columns: readonly (NumberSigns | undefined)[]): Decimal {
  const has = (decimal: Decimal) => columns.some((signs) => signs?.decimal === decimal);
  return has("comma") && !has("point") ? "comma" : "point";
}

/**
 * The format of a column.
 * @param common the decimal separator of the table, for columns that are ambiguous
 * @param asked the decimal separator chosen by the caller
 */
export function formatOf(signs: NumberSigns, common: Decimal, asked: Decimal | undefined): NumberFormat | undefined {
  const decimal = asked ?? (signs.decimal === "point" || signs.decimal === "comma" ? signs.decimal : common);
  if (asked === undefined && decimal === "point" && signs.plain) return undefined;
  return { decimal, unit: signs.unit };
}

/** The class name of a label. Numbers are normalized, so that 1, 1.0 and 01 are one class. */
export function className(cell: string, format?: NumberFormat): string {
  const value = numberAs(cell, format);
  return Number.isFinite(value) ? String(value) : cell.trim();
}
