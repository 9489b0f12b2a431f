/*
 * Formatting of numbers and tables for the report. The page uses the same columns and cells.
 */
import { percent, wrap } from "../text.ts";

/** One column of a table. */
export interface Column {
  readonly title: string;
  readonly width: number;
  /** Whether it is aligned to the right. */
  readonly right?: boolean;
}

/** The width of the report, in columns. */
export const WIDTH = 100;

/** One row as lines of text. Cells that are too long continue in the lines below. */
export function columnsOf(columns: readonly Column[], cells: readonly string[]): string[] {
  const parts = columns.map(({ width }, column) => broken(cells[column] ?? "", width));
  const lines = Math.max(...parts.map(({ length }) => length));
  return Array.from({ length: lines }, (_, line) =>
    columns
      .map(({ width, right }, column) => {
        const text = parts[column]![line] ?? "";
        return right ? text.padStart(width) : text.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Wraps a text to lines of at most `width` columns, at spaces, and within words that are longer than a line. */
export const broken = (text: string, width: number): string[] =>
  wrap(
    text.split(" ").flatMap((word) => chunks(word, width)),
    width,
  );

function chunks(word: string, width: number): string[] {
  if (word.length <= width) return [word];
  return [word.slice(0, width), ...chunks(word.slice(width), width)];
}

/** A number of at least 0 with three significant digits. */
export function digits(value: number): string {
  if (value >= 99.95) return Math.round(value).toLocaleString("en-US");
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** A duration such as "12.3 µs". */
export function timeText(seconds: number): string {
  if (seconds >= 0.9995) return `${digits(seconds)} s`;
  return seconds >= 0.9995e-3 ? `${digits(1e3 * seconds)} ms` : `${digits(1e6 * seconds)} µs`;
}

/** A rate such as "4.56 GFLOP/s". */
export function rateText(perSecond: number, unit: string): string {
  if (perSecond >= 999.5e9) return `${digits(perSecond / 1e12)} T${unit}/s`;
  return perSecond >= 0.0995e9 ? `${digits(perSecond / 1e9)} G${unit}/s` : `${digits(perSecond / 1e6)} M${unit}/s`;
}

/** A fraction such as "12 %". */
export const shareText = (share: number): string => percent(share, share >= 0.0995 ? 0 : 1);

/** A size such as "47.0 MiB". */
export const bytesText = (bytes: number): string =>
  bytes >= 2 ** 30 ? `${digits(bytes / 2 ** 30)} GiB` : `${digits(bytes / 2 ** 20)} MiB`;
