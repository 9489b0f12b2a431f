/*
 * Everything that the commands print goes through here. Names of classes, columns and files may hold control
 * characters; a terminal must show them, not obey them.
 */
import { wrap } from "./text.ts";

/** Control and format characters (escape, bidirectional, zero-width), separators of lines, halves of surrogate pairs. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const unitEscape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * A text with its control and format characters as JSON escapes them, such as \u001b. In a JSON text the escapes mean
 * the characters themselves. A text that was escaped already stays as it is.
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => shortEscapes[character] ?? character.split("").map(unitEscape).join(""));
}

/** A value as a POSIX shell and PowerShell take it for one plain word, for commands that a message suggests. */
export function shellQuoted(text: string): string {
  if (/^[\w.,:@%+/=-]+$/.test(text)) return text;
  if (text.search(HIDDEN) < 0) return `'${text.replaceAll("'", "'\\''")}'`;
  return `$'${visible(text.replaceAll("\\", "\\\\").replaceAll("'", "\\'"))}'`;
}

/** Where lines go: standard output, standard error, or a stand-in. */
export interface LineStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Prints lines as they are, but for hidden characters: tables, programs, JSON. A newline within a line is escaped. */
export function print(lines: readonly string[], stream: LineStream = process.stdout): void {
  for (const line of lines) stream.write(`${visible(line)}\n`);
}

/** Prints sentences and fields; a terminal gets them wrapped between words. A newline within a line is escaped. */
export function say(text: string | readonly string[], stream: LineStream = process.stdout): void {
  const lines = typeof text === "string" ? [text] : text;
  print(stream.isTTY ? lines.flatMap((line) => wrapped(visible(line), stream.columns || 80)) : lines, stream);
}

/** Prints to standard error what does not belong to a command's result. */
export const warn = (text: string | readonly string[]): void => say(text, process.stderr);

/** A value as `shellQuoted` writes it between quotes. */
const QUOTED = /(?<=^| )(?:\$'(?:[^'\\]|\\.)*'|'(?:[^']|'\\'')*')(?=$|[ .,;:)])/g;

/** Stands for a space at which a line must not be broken. A line that is made visible holds no such character. */
const UNBROKEN = "\0";

/** A line in lines of at most `columns`; those after the first are indented as far as the value of a field is. */
function wrapped(line: string, columns: number): string[] {
  if (line.length <= columns) return [line];
  const indent = /^(?:\S+ {2,}| *)/.exec(line)![0].length;
  // A break within a quoted value would change the value for whoever copies it.
  const words = line
    .slice(indent)
    .replace(QUOTED, (value) => value.replaceAll(" ", UNBROKEN))
    .split(" ");
  const parts = wrap(words, Math.max(20, columns - indent)).map((part) => part.replaceAll(UNBROKEN, " "));
  return parts.map((part, index) =>
    index === 0 ? line.slice(0, indent) + part : " ".repeat(indent) + part.trimStart(),
  );
}
