import { array, assert, asyncProperty, constantFrom, double, integer, nat, string, tuple } from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCsv } from "../../src/node/csv.ts";
import { textOf } from "../../src/node/csv-bytes.ts";
import { csvRowsOf } from "../../src/node/csv-file.ts";
import { readCsvTable } from "../../src/node/index.ts";

/** The rows of a text in pieces, with their line numbers. */
async function rowsOf(pieces: readonly string[], delimiter?: string): Promise<[line: number, ...cells: string[]][]> {
  const rows: [number, ...string[]][] = [];
  for await (const found of parseCsv(pieces, { where: "f.csv", delimiter })) {
    for (const { cells, line } of found) rows.push([line, ...cells]);
  }
  return rows;
}

/** Cuts a text at some places, given as fractions of its length. */
const cut = (text: string, places: readonly number[]): string[] => {
  const at = [0, ...places.map((place) => Math.floor(place * text.length)).sort((a, b) => a - b), text.length];
  return at.slice(1).map((end, index) => text.slice(at[index], end));
};

describe("CSV", () => {
  test.each<[string, string, (string | number)[][]]>([
    [
      "LF",
      "a,b\n1,2\n",
      [
        [1, "a", "b"],
        [2, "1", "2"],
      ],
    ],
    [
      "CR LF, without a newline at the end",
      "a,b\r\n1,2",
      [
        [1, "a", "b"],
        [2, "1", "2"],
      ],
    ],
    [
      "CR alone",
      "a,b\r1,2\r",
      [
        [1, "a", "b"],
        [2, "1", "2"],
      ],
    ],
    [
      "LF and CR LF in one file",
      "a,b\r\n1,2\n3,4\r\n",
      [
        [1, "a", "b"],
        [2, "1", "2"],
        [3, "3", "4"],
      ],
    ],
    [
      "a byte order mark",
      "\uFEFFa,b\n1,2\n",
      [
        [1, "a", "b"],
        [2, "1", "2"],
      ],
    ],
    [
      "empty lines, which count in line numbers",
      "a,b\n\n1,2\n\n\n3,4\n\n",
      [
        [1, "a", "b"],
        [3, "1", "2"],
        [6, "3", "4"],
      ],
    ],
    [
      "quotes around delimiters, quotes and newlines",
      '"a,""b""",c\r\n"1\r\n2",3\r\n4,5\r\n',
      [
        [1, 'a,"b"', "c"],
        [2, "1\r\n2", "3"],
        [4, "4", "5"],
      ],
    ],
    ["a quote inside an unquoted cell", '5" pipe,b\n', [[1, '5" pipe', "b"]]],
    [
      "ragged rows",
      "a,b\n1\n1,2,3\n",
      [
        [1, "a", "b"],
        [2, "1"],
        [3, "1", "2", "3"],
      ],
    ],
    [
      "semicolons",
      "a;b\n1;2,5\n",
      [
        [1, "a", "b"],
        [2, "1", "2,5"],
      ],
    ],
    [
      "semicolons between numbers with decimal commas",
      "1,5;2,5\n3,5;4\n",
      [
        [1, "1,5", "2,5"],
        [2, "3,5", "4"],
      ],
    ],
    ["commas, with a semicolon in a text", "1,a;b,2\n", [[1, "1", "a;b", "2"]]],
    [
      "tabs",
      "a\tb\n1\t2",
      [
        [1, "a", "b"],
        [2, "1", "2"],
      ],
    ],
    [
      "quoted delimiters, which do not count",
      '"a,b,c";d\n1;2\n',
      [
        [1, "a,b,c", "d"],
        [2, "1", "2"],
      ],
    ],
    ["an empty file", "", []],
  ])("%s", async (_, text, expected) => {
    expect(await rowsOf([text])).toEqual(expected);
    expect(await rowsOf([...text])).toEqual(expected);
  });

  test("restores any table from any pieces", async () => {
    // A CR at the end of a row's last cell is read as part of the newline.
    const cell = string({ unit: constantFrom(...'ab1,;"\n\r \té') }).map((text) => text.replace(/\r+$/, ""));
    const table = tuple(integer({ min: 2, max: 4 }), nat(5)).chain(([width, height]) =>
      array(array(cell, { minLength: width, maxLength: width }), { minLength: height, maxLength: height }),
    );
    const newline = constantFrom("\n", "\r\n");
    await assert(
      asyncProperty(
        table,
        newline,
        array(double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
        async (cells, end, places) => {
          const text = cells
            .map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(",") + end)
            .join("");
          const rows = await rowsOf(cut(text, places), ",");
          expect(rows.map(([, ...row]) => row)).toEqual(cells);
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each<[string, string, RegExp]>([
    [
      "a quote that is never closed",
      'a,b\n1,2\n3,"4\n5,6\n',
      /^f\.csv, line 3, column 2: the quote is never closed: "\\"4\\n5,6/,
    ],
    [
      "text after a closing quote",
      'a,b,c\n"1\n1","2"x,3\n',
      /^f\.csv, line 2, column 2: text follows a closing quote: "\\"2\\"x,3/,
    ],
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

  test("are read as a table", async () => {
    const table = await readCsvTable(file("t.csv", '\uFEFF"size (cm)",label\r\n1.5,"é"\r\n2,b\r\n'));
    expect(table.columns).toEqual([{ name: "size (cm)", position: 1, kind: "number" }]);
    expect(table.labelNames).toEqual(["b", "é"]);
  });

  const german = "gr\u00f6\u00dfe;label\n1,5;a\n2,25;\u00e9\n";
  const utf16 = (text: string, bigEndian: boolean) => {
    const bytes = Buffer.from(`\uFEFF${text}`, "utf16le");
    return bigEndian ? bytes.swap16() : bytes;
  };

  test.each<[string, Uint8Array]>([
    ["little-endian UTF-16", utf16(german, false)],
    ["big-endian UTF-16", utf16(german, true)],
    ["gzip", gzipSync(german)],
    ["UTF-16 in gzip", gzipSync(utf16(german, false))],
    ["several gzip members", Buffer.concat([gzipSync(german.slice(0, 9)), gzipSync(german.slice(9))])],
  ])("are read as %s", async (_, bytes) => {
    const table = await readCsvTable(file("t.csv.gz", bytes));
    expect(table.columns).toEqual([
      { name: "gr\u00f6\u00dfe", position: 1, kind: "number", format: { decimal: "comma" } },
    ]);
    expect([...table.features]).toEqual([1.5, 2.25]);
    expect(table.labelNames).toEqual(["a", "\u00e9"]);
  });

  test("are recognized in pieces of one byte, as from a pipe", async () => {
    const bytes = gzipSync(utf16(german, false));
    const pieces = (async function* () {
      for (const byte of bytes) yield Uint8Array.of(byte);
    })();
    const rows = [];
    for await (const found of csvRowsOf(pieces, { where: "-" }))
      rows.push(...found.map(({ cells }) => cells.join("|")));
    expect(rows).toEqual(["gr\u00f6\u00dfe|label", "1,5|a", "2,25|\u00e9"]);
  });

  const digits = gzipSync("label,x\n".repeat(1000));
  test.each<[string, Uint8Array, RegExp]>([
    [
      "a new Excel workbook",
      Buffer.from("PK\x03\x04 and more"),
      /f\.csv: this is an Excel workbook \(\.xlsx\).*Save the sheet as "CSV UTF-8"/,
    ],
    [
      "an old Excel workbook",
      Buffer.from("d0cf11e0a1b11ae10000", "hex"),
      /old Excel workbook \(\.xls\).*Save the sheet/,
    ],
    [
      "Latin-1",
      Buffer.from("label,x\na,1\nStra\u00dfe,2\n", "latin1"),
      /f\.csv: line 3 has bytes that are not UTF-8; as Latin-1 \(Windows-1252\) they would read "Stra\u00dfe".*iconv -f WINDOWS-1252/,
    ],
    ["a damaged archive", digits.subarray(0, digits.length - 12), /the gzip archive is truncated or damaged/],
    ["half a character of UTF-16", utf16(german, false).subarray(0, 41), /bytes that are not UTF-16/],
  ])("are refused as %s", async (_, bytes, message) => {
    await expect(readCsvTable(file("f.csv", bytes))).rejects.toThrow(message);
  });

  test("are unpacked to at most 200 times their size", async () => {
    const archive = gzipSync(Buffer.alloc(80_000_000));
    const pieces = (async function* () {
      yield archive;
    })();
    let length = 0;
    const unpack = async () => {
      for await (const text of textOf(pieces, "f.csv.gz", () => 0)) length += text.length;
    };
    await expect(unpack()).rejects.toThrow(/^f\.csv\.gz: the archive unpacks to more than 200 times its size/);
    expect(length).toBeLessThanOrEqual(2 ** 26);
  });

  test("are refused if they are missing, folders, or not UTF-8", async () => {
    await expect(readCsvTable(join(folder, "absent.csv"))).rejects.toThrow(/absent\.csv: cannot be read: no such file/);
    await expect(readCsvTable(folder)).rejects.toThrow(/cannot be read: it is a folder/);
    const latin = Uint8Array.from("label,x\na,1\n\xe9,2\n", (letter) => letter.charCodeAt(0));
    await expect(readCsvTable(file("latin.csv", latin))).rejects.toThrow(
      /latin\.csv: line 3 has bytes that are not UTF-8.*Save the file as UTF-8/,
    );
  });
});
