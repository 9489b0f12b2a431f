/*
 * Formats values as short texts, for the messages of the library, the command line and the page.
 */

/** Truncates a text after `most` characters. */
export const shortened = (text: string, most = 60): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;

/** A value of any type for a message: objects and strings as JSON, truncated if long; a function by its name. */
export function excerpt(value: unknown): string {
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  const text = typeof value === "object" || typeof value === "string" ? JSON.stringify(value) : undefined;
  return shortened(text ?? String(value), 80);
}

/** The type of a value for a message: of an object the name of its class, such as "Float64Array". */
export const typeName = (value: unknown): string =>
  typeof value === "object" ? (value?.constructor?.name ?? String(value)) : typeof value;

/** A fraction as a percentage such as "93.8 %"; "–" if it is not finite. */
export const percent = (share: number, decimals = 1): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(decimals)} %` : "–";

/** A whole number with thousands separators (commas). */
export const count = (value: number): string => Math.round(value).toLocaleString("en-US");

const PREFIXES = ["", "k", "M", "G", "T"] as const;

/** A number with three significant digits and a unit prefix, such as "12.8 M". */
export function scaled(value: number): string {
  // 999.5 would be rounded to 1000.
  const power = Math.min(
    PREFIXES.length - 1,
    Math.max(0, Math.floor(Math.log10(Math.max(1, value) * (1000 / 999.5)) / 3)),
  );
  const shown = value / 1000 ** power;
  const decimals = power === 0 || shown >= 99.95 ? 0 : shown >= 9.995 ? 1 : 2;
  return `${shown.toFixed(decimals)} ${PREFIXES[power]}`.trimEnd();
}

/** A cell of a CSV file (RFC 4180), quoted if necessary. */
export const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Joins words with spaces into lines of at most `width` columns. A longer word gets a line of its own. */
export function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The rows of a table as lines. Columns are as wide as their longest cell, and those of numbers aligned at the right. */
export function alignedLines(rows: readonly (readonly string[])[], isNumber: (column: number) => boolean): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    );
    return cells.join("  ").trimEnd();
  });
}
