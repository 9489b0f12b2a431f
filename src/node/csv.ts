/*
 * Parses CSV (RFC 4180) incrementally. The delimiter and line ends are detected; line numbers count the lines of the file,
 * including those within quotes.
 */
import Papa from "papaparse";
import { numberSigns } from "../data/number-format.ts";
import { DataError } from "../errors.ts";

export interface CsvOptions {
  /** The file's name, for messages. */
  readonly where: string;
  /** One character; by default the most frequent in the first line of comma, semicolon, tab and vertical bar. */
  readonly delimiter?: string;
}

const delimiters = [",", ";", "\t", "|"];

/** The most characters that are searched for the end of the first line, before a part of it must suffice. */
const LONGEST_LOOK = 1 << 20;

/** Limits of a table. A file that exceeds them is damaged, for example by a quote that is never closed. */
const LONGEST_ROW = 2 ** 23;
const LONGEST_CELL = 2 ** 16;
const MOST_COLUMNS = 2 ** 16;

/** An incomplete row longer than this is parsed again only when it has doubled, so that reading takes linear time. */
const LONG_PART = 2 ** 16;

/** A row, and the number of the line that it starts on, counted from 1. */
export interface CsvRow {
  readonly cells: readonly string[];
  readonly line: number;
}

/**
 * Parses CSV from pieces of text, such as the chunks of a file, and yields the rows that each piece completes. Empty lines
 * and a byte order mark are dropped; cells keep their spaces.
 * @throws DataError with line and column for a misplaced or unclosed quote, a row of more than 2²³ characters, a cell of
 * more than 2¹⁶ characters, or more than 2¹⁶ columns
 */
export async function* parseCsv(
  pieces: Iterable<string> | AsyncIterable<string>,
  options: CsvOptions,
): AsyncGenerator<readonly CsvRow[]> {
  const rows = new CsvRows(options);
  for await (const piece of pieces) yield rows.push(piece);
  yield rows.finish();
}

/**
 * The result of Papa Parse's inner parser, which is used instead of `Papa.parse` because of its cursor: the end of the
 * last complete row in a text that may stop within a row or a quoted cell. The rest is kept until the next piece arrives.
 * Other CSV parsers buffer partial rows themselves, and give neither the cursor nor the line numbers of cells in quotes.
 */
interface ParsedText {
  readonly data: readonly (readonly string[])[];
  /** `row` is an index into `data`, `index` one into the text. */
  readonly errors: readonly { readonly code: string; readonly row: number; readonly index: number }[];
  readonly meta: { readonly cursor: number };
}

/** A text without its quoted parts, of which the last may be unclosed. */
const outsideQuotes = (text: string) => text.replaceAll(/"[^"]*(?:"|$)/g, "");

/** Whether all commas of a line are within numbers that another delimiter separates. */
function hasDecimalCommas(line: string): boolean {
  return delimiters.slice(1).some((delimiter) => {
    const cells = line.split(delimiter);
    return cells.length > 1 && cells.every((cell) => !cell.includes(",") || numberSigns([cell]) !== undefined);
  });
}

class CsvRows {
  readonly #options: CsvOptions;
  #parser: Papa.Parser | undefined;
  /** Text that may end within a row. */
  #rest = "";
  /** The length of `#rest` at which it is parsed again. */
  #lookAt = 0;
  #line = 1;
  #newline: "\n" | "\r" = "\n";
  /** Whether any quote occurred: only then can a cell contain a newline. */
  #quotes = false;

  constructor(options: CsvOptions) {
    this.#options = options;
  }

  push(piece: string): CsvRow[] {
    this.#quotes ||= piece.includes('"');
    this.#rest += piece;
    if (this.#rest.length < this.#lookAt) return [];
    const rows = this.#rowsSoFar();
    this.#lookAt = this.#rest.length < LONG_PART ? 0 : Math.min(2 * this.#rest.length, LONGEST_ROW + 1);
    return rows;
  }

  #rowsSoFar(): CsvRow[] {
    const isFirstLineOpen = () => this.#rest.length < LONGEST_LOOK && !/[\r\n]./s.test(outsideQuotes(this.#rest));
    if (this.#parser === undefined && isFirstLineOpen()) return [];
    return this.#parse(true);
  }

  finish(): CsvRow[] {
    return this.#rest === "" ? [] : this.#parse(false);
  }

  #parse(isMoreToCome: boolean): CsvRow[] {
    const parser = (this.#parser ??= this.#begin());
    const text = this.#rest;
    const { data, errors, meta } = parser.parse(text, 0, isMoreToCome) as ParsedText;
    // An error in a row that is not complete yet may disappear with the rest of the row.
    const error = errors.find(({ row }) => row < data.length);
    const rows: CsvRow[] = [];
    data.forEach((cells, row) => {
      if (error?.row === row) throw this.#quoteError(text, error);
      const taken = this.#take(cells);
      if (taken.cells.length > 1 || taken.cells[0] !== "") rows.push(taken);
    });
    this.#rest = isMoreToCome ? text.slice(meta.cursor) : "";
    if (this.#rest.length > LONGEST_ROW) throw this.#rowError();
    return rows;
  }

  #begin(): Papa.Parser {
    this.#rest = this.#rest.replace(/^\uFEFF/, "");
    // Lines that end in CR alone, as on classic Mac OS. The CR of CR LF is removed in #take.
    const plain = outsideQuotes(this.#rest);
    if (plain.includes("\r") && !plain.includes("\n")) this.#newline = "\r";
    const firstLine = plain.match(/^[^\r\n]*/)![0];
    const countOf = (character: string) =>
      character === "," && hasDecimalCommas(firstLine) ? 0 : firstLine.split(character).length;
    const found = delimiters.reduce((best, next) => (countOf(next) > countOf(best) ? next : best));
    return new Papa.Parser({ delimiter: this.#options.delimiter ?? found, newline: this.#newline });
  }

  #take(cells: readonly string[]): CsvRow {
    const line = this.#line;
    this.#requireLimits(cells);
    // The parser splits at LF, so CR LF leaves a CR at the end of the last cell.
    const last = cells.at(-1)!;
    const complete = last.endsWith("\r") ? [...cells.slice(0, -1), last.slice(0, -1)] : cells;
    this.#line++;
    if (this.#quotes)
      for (const cell of cells) if (cell.includes(this.#newline)) this.#line += cell.split(this.#newline).length - 1;
    return { cells: complete, line };
  }

  #requireLimits(cells: readonly string[]): void {
    const where = () => `${this.#options.where}, line ${this.#line}`;
    if (cells.length > MOST_COLUMNS) {
      const what = `the row has ${cells.length} columns, but at most ${MOST_COLUMNS} are supported`;
      throw new DataError({ where: where(), what, fix: "Use fewer columns, or another delimiter" });
    }
    for (let index = 0; index < cells.length; index++) {
      const { length } = cells[index]!;
      if (length <= LONGEST_CELL) continue;
      const what = `the cell has ${length} characters, but at most ${LONGEST_CELL} are supported`;
      throw new DataError({
        where: `${where()}, column ${index + 1}`,
        what,
        fix: "Look for an unclosed quote before it, or shorten the cell",
      });
    }
  }

  #rowError(): DataError {
    const what = `the row has more than ${LONGEST_ROW} characters`;
    const fix = this.#rest.includes('"')
      ? "Look for a quote in it that is never closed"
      : "Check that the file is a table with one line per row";
    return new DataError({ where: `${this.#options.where}, line ${this.#line}`, what, fix });
  }

  #quoteError(text: string, { code, index }: { code: string; index: number }): DataError {
    // The text before the cell ends with a delimiter, so its last row has an empty cell in place of this one.
    const before = this.#parser!.parse(text.slice(0, index - 1), 0, false) as ParsedText;
    const column = before.data.at(-1)?.length ?? 1;
    const begins = JSON.stringify(text.slice(index - 1, index + 19));
    return new DataError({
      where: `${this.#options.where}, line ${this.#line}, column ${column}`,
      what:
        code === "MissingQuotes" ? `the quote is never closed: ${begins}` : `text follows a closing quote: ${begins}`,
      fix: 'Quote the whole cell, and double the quotes within it: "say ""yes"""',
    });
  }
}
