import { array, assert, asyncProperty, constantFrom, double, integer, nat, string, tuple } from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCsv } from "../../src/node/csv.ts";
import { readCsvTable } from "../../src/node/index.ts";

/** The rows of a text that comes in pieces, with their lines. */
async function rowsOf(pieces: readonly string[], delimiter?: string): Promise<[line: number, ...cells: string[]][]> {
  const rows: [number, ...string[]][] = [];
  for await (const found of parseCsv(pieces, { where: "f.csv", ...(delimiter && { delimiter }) })) {
    for (const { cells, line } of found) rows.push([line, ...cells]);
  }
  return rows;
}

/** A text cut at some places. */
const cut = (text: string, places: readonly number[]): string[] => {
  const at = [0, ...places.map((place) => Math.floor(place * text.length)).sort((a, b) => a - b), text.length];
  return at.slice(1).map((end, index) => text.slice(at[index], end));
};

describe("CSV", () => {
  test.each<[string, string, (string | number)[][]]>([
    ["LF", "a,b\n1,2\n", [[1, "a", "b"], [2, "1", "2"]]],
    ["CR LF, without an end of line at the end", "a,b\r\n1,2", [[1, "a", "b"], [2, "1", "2"]]],
    ["CR alone", "a,b\r1,2\r", [[1, "a", "b"], [2, "1", "2"]]],
    ["both in one file", "a,b\r\n1,2\n3,4\r\n", [[1, "a", "b"], [2, "1", "2"], [3, "3", "4"]]],
    ["a byte order mark", "\uFEFFa,b\n1,2\n", [[1, "a", "b"], [2, "1", "2"]]],
    ["empty lines, which count", "a,b\n\n1,2\n\n\n3,4\n\n", [[1, "a", "b"], [3, "1", "2"], [6, "3", "4"]]],
    ["quotes around delimiters, quotes and ends of lines", '"a,""b""",c\r\n"1\r\n2",3\r\n4,5\r\n', [[1, 'a,"b"', "c"], [2, "1\r\n2", "3"], [4, "4", "5"]]],
    ["a quote inside a cell that has none around it", '5" pipe,b\n', [[1, '5" pipe', "b"]]],
    ["ragged rows as they are", "a,b\n1\n1,2,3\n", [[1, "a", "b"], [2, "1"], [3, "1", "2", "3"]]],
    ["semicolons", "a;b\n1;2,5\n", [[1, "a", "b"], [2, "1", "2,5"]]],
    ["tabs", "a\tb\n1\t2", [[1, "a", "b"], [2, "1", "2"]]],
    ["delimiters inside quotes do not count", '"a,b,c";d\n1;2\n', [[1, "a,b,c", "d"], [2, "1", "2"]]],
    ["nothing", "", []],
  ])("%s", async (_, text, expected) => {
    expect(await rowsOf([text])).toEqual(expected);
    expect(await rowsOf([...text])).toEqual(expected);
  });

  test("gives back any table, however it is written and cut", async () => {
    // A CR at the end of a row's last cell is taken for a part of the line's end.
    const cell = string({ unit: constantFrom(..."ab1,;\"\n\r \té") }).map((text) => text.replace(/\r+$/, ""));
    const table = tuple(integer({ min: 2, max: 4 }), nat(5)).chain(([width, height]) =>
      array(array(cell, { minLength: width, maxLength: width }), { minLength: height, maxLength: height }),
    );
    const newline = constantFrom("\n", "\r\n");
    await assert(
      asyncProperty(table, newline, array(double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }), async (cells, end, places) => {
        const text = cells.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(",") + end).join("");
        const rows = await rowsOf(cut(text, places), ",");
        expect(rows.map(([, ...row]) => row)).toEqual(cells);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, string, RegExp]>([
    ["a quote that is never closed", 'a,b\n1,2\n3,"4\n5,6\n', /^f\.csv, line 3, column 2: the quote is never closed: "\\"4\\n5,6/],
    ["text after a closing quote", 'a,b,c\n"1\n1","2"x,3\n', /^f\.csv, line 2, column 2: text follows a closing quote: "\\"2\\"x,3/],
    ["the same in the first cell", '"a"b,c\n', /^f\.csv, line 1, column 1: text follows/],
  ])("refuses %s", async (_, text, message) => {
    await expect(rowsOf([text])).rejects.toThrow(message);
    await expect(rowsOf([...text])).rejects.toThrow(message);
  });
});

describe("CSV files", () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "wgrad-csv-"))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, contents: string | Uint8Array) => {
    writeFileSync(join(folder, name), contents);
    return join(folder, name);
  };

  test("give a table", async () => {
    const table = await readCsvTable(file("t.csv", '\uFEFF"size (cm)",label\r\n1.5,"é"\r\n2,b\r\n'));
    expect(table.columns).toEqual([{ name: "size (cm)", position: 1, kind: "number" }]);
    expect(table.labelNames).toEqual(["b", "é"]);
  });

  test("are refused where they are missing, folders, or not UTF-8", async () => {
    await expect(readCsvTable(join(folder, "absent.csv"))).rejects.toThrow(/absent\.csv: cannot be read: no such file/);
    await expect(readCsvTable(folder)).rejects.toThrow(/cannot be read: it is a folder/);
    const latin = Uint8Array.from("label,x\na,1\n\xe9,2\n", (letter) => letter.charCodeAt(0));
    await expect(readCsvTable(file("latin.csv", latin))).rejects.toThrow(/latin\.csv: .*not UTF-8.*Save the file as UTF-8/);
  });
});
