import { isFloat32 } from "../float32.ts";

/** Cells that stand for a value that is not known. */
const missingTexts = new Set(["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"]);

/** Whether a cell says that its value is not known: empty, NA, N/A, NaN, null, None or a question mark. */
export const isMissing = (cell: string): boolean => missingTexts.has(cell) || missingTexts.has(cell.trim());

const SPACE = 32;
const NINE = 57;

/** Digits with a point and an exponent or without. */
const decimal = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;

/**
 * The number that a cell is: in decimal digits, with a point and an exponent or without.
 * @returns an infinity for a number that float32 cannot hold, NaN for anything else
 */
export function numberIn(cell: string): number {
  const whole = digitsIn(cell);
  if (whole >= 0) return whole;
  const value = Number(cell);
  if (Number.isNaN(value)) return NaN;
  if (!isFloat32(value)) return decimal.test(cell) ? Math.sign(value) * Infinity : NaN;
  // Number reads 0x10 and 0b11 too, and blank text as 0. Most cells show by their first two characters that they are
  // neither, which costs less than to match them.
  const isPlain = cell.charCodeAt(0) > SPACE && cell.charCodeAt(1) <= NINE;
  return isPlain || decimal.test(cell) ? value : NaN;
}

/** The value of at most nine digits, as most cells of pictures are, in a third of the time; −1 for any other text. */
export function digitsIn(cell: string): number {
  if (cell.length === 0 || cell.length > 9) return -1;
  let value = 0;
  for (let index = 0; index < cell.length; index++) {
    const digit = cell.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = 10 * value + digit;
  }
  return value;
}

/** Numbers by their size, all else by its characters; the same on every machine. */
export function inOrder(names: Iterable<string>): string[] {
  const byCharacters = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = [...names].sort(byCharacters);
  return sorted.every((name) => !Number.isNaN(numberIn(name))) ? sorted.sort((a, b) => Number(a) - Number(b)) : sorted;
}
