import Papa from "papaparse";
import { afterEach, describe, expect, test, vi } from "vitest";
import { requireDistinct } from "../../src/data/table-columns.ts";
import { parseCsv } from "../../src/node/csv.ts";

afterEach(() => vi.restoreAllMocks());

/** Reads pieces to the end. @returns the number of rows, and how many characters the parser processed */
async function read(pieces: Iterable<string>): Promise<{ rows: number; looked: number; refusal: string }> {
  const { Parser } = Papa;
  let [rows, looked, refusal] = [0, 0, ""];
  vi.spyOn(Papa, "Parser").mockImplementation(function (this: unknown, config: Papa.ParseConfig) {
    const parser = new Parser(config);
    const parse = parser.parse.bind(parser);
    parser.parse = (text: string, ...rest: [number, boolean]) => {
      looked += text.length;
      return parse(text, ...rest);
    };
    return parser;
  } as unknown as typeof Parser);
  try {
    for await (const found of parseCsv(pieces, { where: "f.csv" })) rows += found.length;
  } catch (error) {
    refusal = (error as Error).message;
  }
  vi.restoreAllMocks();
  return { rows, looked, refusal };
}

/** Repeats a text. */
function* repeated(text: string, times: number): Generator<string> {
  for (let index = 0; index < times; index++) yield text;
}

const lines = "1,2,three\n".repeat(1600);

describe("parsing takes linear time", () => {
  test("for a whole table", async () => {
    const { rows, looked, refusal } = await read(repeated(lines, 1000));
    expect({ rows, refusal }).toEqual({ rows: 1_600_000, refusal: "" });
    expect(looked).toBeLessThan(1.1 * 1000 * lines.length);
  });

  test.each<[string, () => Iterable<string>, RegExp]>([
    [
      "one stray quote",
      () => [lines, '1,"2,three\n', ...repeated(lines, 1000)],
      /^f\.csv, line 1601: the row has more than 8388608 characters\. Look for a quote in it that is never closed\.$/,
    ],
    [
      "an endless line",
      () => ["a,b\n", ...repeated("x".repeat(16_000), 60_000)],
      /^f\.csv, line 2: the row has more than 8388608 characters\. Check that the file is a table/,
    ],
    [
      "an endless first line",
      () => repeated("x,".repeat(8000), 60_000),
      /^f\.csv, line 1: the row has more than 8388608 characters/,
    ],
  ])("for a file with %s, which is refused early", async (_, pieces, message) => {
    const { looked, refusal } = await read(pieces());
    expect(refusal).toMatch(message);
    expect(looked).toBeLessThan(4 * 2 ** 23);
  });
});

describe("limits", () => {
  const refusalOf = async (text: string) => (await read([text])).refusal;

  test("of a cell, also if a quote is closed far below", async () => {
    expect(await refusalOf(`a,b\n1,${"x".repeat(2 ** 16)}\n`)).toBe("");
    expect(await refusalOf(`a,b\n1,${"x".repeat(2 ** 16 + 1)}\n`)).toMatch(
      /^f\.csv, line 2, column 2: the cell has 65537 characters, but at most 65536 are supported\./,
    );
    expect(await refusalOf(`a,b\n1,"2\n${"3,4\n".repeat(20_000)}5",6\n`)).toMatch(
      /^f\.csv, line 2, column 2: the cell has 80003 characters.*an unclosed quote/,
    );
  });

  test("of the number of columns", async () => {
    expect(await refusalOf(`${"1,".repeat(2 ** 16 - 1)}1\n`)).toBe("");
    expect(await refusalOf(`${"1,".repeat(199_999)}1\n`)).toMatch(
      /^f\.csv, line 1: the row has 200000 columns, but at most 65536 are supported\./,
    );
  });

  test("a long row is parsed in linear time from small pieces", async () => {
    const row = `${"12345678,".repeat(20_000)}9\n`;
    const pieces = Array.from({ length: Math.ceil(row.length / 1000) }, (_, index) =>
      row.slice(1000 * index, 1000 * (index + 1)),
    );
    const { rows, looked } = await read([...pieces, "1,2\n"]);
    expect(rows).toBe(2);
    // The end of the first line is searched in parts of up to 2¹⁶ characters.
    expect(looked).toBeLessThan(4 * row.length);
  });
});

test("names are compared in linear time", () => {
  const names = Array.from({ length: 65_536 }, (_, index) => `c${index}`);
  const indexOf = vi.spyOn(Array.prototype, "indexOf");
  requireDistinct(names, "f.csv");
  expect(indexOf.mock.calls.length).toBeLessThan(10);
  expect(() => requireDistinct([...names, "c7"], "f.csv")).toThrow(
    /^f\.csv, column 65537: another column is also named "c7"/,
  );
});
