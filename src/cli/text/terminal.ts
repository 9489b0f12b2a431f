/*
 * All output of the commands passes through here. Names of classes, columns and files may contain control characters,
 * which are escaped so that a terminal does not interpret them.
 */
import { wrap } from "./text.ts";

/** Control and format characters (escape, bidirectional, zero-width), line separators, unpaired surrogates. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const unitEscape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * A text with control and format characters escaped as in JSON, such as \u001b. In a JSON text the escapes stand for the
 * characters themselves. Applying it twice changes nothing.
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => shortEscapes[character] ?? character.split("").map(unitEscape).join(""));
}

/** A value quoted as one word of a POSIX shell or PowerShell, for commands that a message suggests. */
export function shellQuoted(text: string): string {
  if (/^[\w.,:@%+/=-]+$/.test(text)) return text;
  if (text.search(HIDDEN) < 0) return `'${text.replaceAll("'", "'\\''")}'`;
  return `$'${visible(text.replaceAll("\\", "\\\\").replaceAll("'", "\\'"))}'`;
}

/** A stream for lines: standard output, standard error, or a test's replacement. */
export interface LineStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Prints lines without wrapping: tables, code, JSON. Hidden characters and newlines within a line are escaped. */
export function print(lines: readonly string[], stream: LineStream = process.stdout): void {
  for (const line of lines) stream.write(`${visible(line)}\n`);
}

/** Prints sentences and fields, wrapped between words on a terminal. Hidden characters and newlines within a line are escaped. */
export function say(text: string | readonly string[], stream: LineStream = process.stdout): void {
  const lines = typeof text === "string" ? [text] : text;
  print(stream.isTTY ? lines.flatMap((line) => wrapped(visible(line), stream.columns || 80)) : lines, stream);
}

/** Prints to standard error, for messages that are not part of a command's result. */
export const warn = (text: string | readonly string[]): void => say(text, process.stderr);

/** A text of several lines: on a terminal, hidden characters except line breaks and tabs are escaped. */
export const readableText = (text: string): string =>
  process.stdout.isTTY ? text.replace(/[^\n\t]+/g, visible) : text;

/**
 * Writes a text to standard output, and waits for a slow reader.
 * @returns false if the reader is gone
 */
export async function writeText(text: string): Promise<boolean> {
  const { stdout } = process;
  if (!stdout.write(text)) {
    await new Promise<void>((resolve) => {
      stdout.once("drain", resolve);
      stdout.once("close", resolve);
      stdout.once("error", () => resolve());
    });
  }
  return !stdout.destroyed;
}

/** Matches a quoted value as `shellQuoted` writes it. */
const QUOTED = /(?<=^| )(?:\$'(?:[^'\\]|\\.)*'|'(?:[^']|'\\'')*')(?=$|[ .,;:)])/g;

/** Replaces a space at which a line must not be broken. An escaped line contains no such character. */
const UNBROKEN = "\0";

/** Wraps a line to at most `columns`. Continuation lines are indented to the value of a field. */
function wrapped(line: string, columns: number): string[] {
  if (line.length <= columns) return [line];
  const indent = /^(?:\S+ {2,}| *)/.exec(line)![0].length;
  // A line break within a quoted value would change the value when it is copied.
  const words = line
    .slice(indent)
    .replace(QUOTED, (value) => value.replaceAll(" ", UNBROKEN))
    .split(" ");
  const parts = wrap(words, Math.max(20, columns - indent)).map((part) => part.replaceAll(UNBROKEN, " "));
  return parts.map((part, index) =>
    index === 0 ? line.slice(0, indent) + part : " ".repeat(indent) + part.trimStart(),
  );
}
