import { describe, expect, test } from "vitest";
import { isRegression } from "../../src/data/dataset.ts";
import { datasetFromTable, schemaOf, usualTask } from "../../src/data/table-data.ts";
import { TableRows } from "../../src/data/table-rows.ts";
import { featureNames, tableSchemaFrom } from "../../src/data/table-schema.ts";
import { TableBuilder } from "../../src/data/table.ts";
import { ValueList } from "../../src/data/values.ts";
import { tableOf, tableOfCells } from "./tables.ts";

describe("number formats", () => {
  test.each<[string, string[], number[], object | undefined]>([
    ["plain", ["1.5", "2e3", "-4"], [1.5, 2000, -4], undefined],
    ["decimal commas", ["112,35", "-0,5", "7", "1,5e2"], [112.35, -0.5, 7, 150], { decimal: "comma" }],
    ["points between thousands", ["1.234,56", "12.345.678", "5"], [1234.56, 12345678, 5], { decimal: "comma" }],
    ["commas between thousands", ["1,234.56", "1,234,567", "0.5"], [1234.56, 1234567, 0.5], { decimal: "point" }],
    [
      "spaces between thousands",
      ["1 234,56", "1\u00a0234\u00a0567,5", "1\u202f234\u202f567,5"],
      [1234.56, 1234567.5, 1234567.5],
      { decimal: "comma" },
    ],
    ["apostrophes", ["1'234.50", "12\u2019345", "7"], [1234.5, 12345, 7], { decimal: "point" }],
    ["currency after", ["1.234,56 \u20ac", "5\u20ac", "7,5"], [1234.56, 5, 7.5], { decimal: "comma", unit: "\u20ac" }],
    [
      "currency before",
      ["$1,234.50", "-$5", "$-6", "\u22127.25"],
      [1234.5, -5, -6, -7.25],
      { decimal: "point", unit: "$" },
    ],
    ["currency codes", ["CHF 1'234.50", "chf 2"], [1234.5, 2], { decimal: "point", unit: "CHF" }],
    ["percent", ["12,5 %", "3%"], [12.5, 3], { decimal: "comma", unit: "%" }],
    ["thousands by the default rule, if ambiguous", ["1,234", "5,678"], [1234, 5678], { decimal: "point" }],
    ["decimals by the default rule, if ambiguous", ["1.234", "5.678"], [1.234, 5.678], undefined],
    ["no groups after a leading zero", ["0,123", "4,567"], [0.123, 4.567], { decimal: "comma" }],
  ])("%s", (_, cells, expected, format) => {
    const table = tableOfCells(cells);
    expect([...table.features]).toEqual(expected.map(Math.fround));
    expect(table.columns).toEqual([{ name: "x", position: 1, kind: "number", format }]);
  });

  test("an ambiguous column follows the other columns, and a remark says so", () => {
    const rows = (other: string) => ["a n p l", `1.234 5 ${other} x`, `5.678 6 ${other} y`];
    const german = tableOf(rows("7,5"), { label: "l" });
    expect([...german.features.subarray(0, 3)]).toEqual([1234, 5, 7.5]);
    expect(german.columns.map((column) => column.kind === "number" && column.format?.decimal)).toEqual([
      "comma",
      "comma",
      "comma",
    ]);
    expect(german.remarks).toContainEqual({ column: "a", kind: "ambiguous", example: "1.234" });
    expect([...tableOf(rows("7.5"), { label: "l" }).features.subarray(0, 3)]).toEqual([Math.fround(1.234), 5, 7.5]);
    expect([...tableOfCells(["1,234", "5,678"], { decimal: "comma" }).features]).toEqual(
      [1.234, 5.678].map(Math.fround),
    );
    expect(() => tableOfCells(["1.5", "2.5"], { decimal: "comma" })).toThrow(
      /line 2, column 1 .*"1\.5" does not have the number format .* decimal commas.*decimal, or treat/,
    );
  });

  test.each<[string, string[], RegExp]>([
    [
      "both decimal separators",
      ["1,5", "2.5", "3,5"],
      /line 3, .*"2\.5" does not have the number format of this column, which has decimal commas/,
    ],
    [
      "two currencies",
      ["$5", "\u20ac5"],
      /line 3, .*"\u20ac5" does not have the number format .* decimal points and \$/,
    ],
    ["percent signs in some cells", ["5%", "0.5"], /line 3, .*"0\.5" does not have the number format .* and %/],
    ["numbers beyond float32", ["1", "-1e39"], /line 3, column 1 \("x"\): "-1e39" is outside the range of float32/],
    ["a first number beyond float32", ["4e38"], /line 2, column 1 \("x"\): "4e38" is outside the range/],
  ])("a column of %s is refused", (_, cells, message) => {
    expect(() => tableOfCells(cells)).toThrow(message);
  });

  test("a cell that does not have the format of the first thousands of rows is an error, not a category", () => {
    const cells = Array.from({ length: 3000 }, (_, row) => `${row},5`);
    expect(() => tableOfCells([...cells, "2.5"])).toThrow(/line 3002, .*"2\.5" does not have the number format/);
    expect(tableOfCells(cells).features.at(-1)).toBe(2999.5);
  });

  test("labels with decimal commas are targets, and text among them is an error", () => {
    const rows = (cells: readonly string[]) => ["x l", ...cells.map((cell, index) => `${index} ${cell}`)];
    const data = datasetFromTable(tableOf(rows(["112,35", "1.000", "99,5"]), { label: "l" }));
    expect(isRegression(data) && [...data.targets]).toEqual([112.35, 1000, 99.5].map(Math.fround));
    expect(() => usualTask(tableOf(rows(["112.35", "1.5", "ask"]), { label: "l" }))).toThrow(
      /column 2 \("l"\): the label "ask" is not a number, but 2 other labels are.*task: "classification"/,
    );
    expect(() => tableOf(rows(["1", "1e39"]), { label: "l" })).toThrow(
      /line 3, column 2 \("l"\): "1e39" is outside the range/,
    );
  });
});

describe("remarks", () => {
  const kinds = (cells: readonly string[], name = "x") => {
    const builder = new TableBuilder({ name: "t.csv", label: "l" });
    [name, ...cells].forEach((cell, index) => builder.add([cell, index === 0 ? "l" : "ab"[index % 2]!], index + 1));
    return builder.finish().remarks.map(({ kind }) => kind);
  };
  const range = (count: number, cellOf: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => cellOf(index));

  test.each<[string, string, string[], string[]]>([
    ["row numbers", "x", range(12, String), ["row number"]],
    ["row numbers from 1", "x", range(12, (index) => String(index + 1)), ["row number"]],
    ["consecutive years", "x", range(12, (index) => String(1990 + index)), []],
    ["ids", "customer_id", range(12, (index) => String(1000 + 7 * index)), ["id"]],
    ["numbers that are not ids", "income", range(12, (index) => String(1000 + 7 * index)), []],
    ["names", "x", range(25, (index) => `name ${index}`), ["id"]],
    ["categories", "x", range(25, (index) => `kind ${index % 3}`), []],
    ["dates", "x", range(12, (index) => `2024-01-${index + 10}`), ["date"]],
    ["text among numbers", "x", ["unknown", ...range(12, (index) => String(30 + 3 * index))], ["mixed"]],
  ])("%s", (_, name, cells, expected) => {
    expect(kinds(cells, name)).toEqual(expected);
  });
});

describe("dates as features", () => {
  test.each<[string, string[], number[]]>([
    ["ISO", ["2024-02-29", "2023-12-31"], [2024, 2, 29, 4, 2023, 12, 31, 7]],
    ["with times", ["2024-02-29T07:30:00Z", "2023-12-31 23:59"], [2024, 2, 29, 4, 7, 2023, 12, 31, 7, 23]],
    ["day first", ["31.12.2023", "1.2.2024"], [2023, 12, 31, 7, 2024, 2, 1, 4]],
    ["two-digit years", ["31.12.99", "01.02.24"], [1999, 12, 31, 5, 2024, 2, 1, 4]],
    ["month first, if ambiguous", ["1/2/2024", "3/4/2024"], [2024, 1, 2, 2, 2024, 3, 4, 1]],
    ["day first, if one date shows it", ["1/2/2024", "30/4/2024"], [2024, 2, 1, 4, 2024, 4, 30, 2]],
    ["a 12-hour clock", ["1/2/2024 12:05 AM", "3/4/2024 1:05 pm"], [2024, 1, 2, 2, 0, 2024, 3, 4, 1, 13]],
  ])("%s", (_, cells, expected) => {
    const table = tableOfCells(cells, { dates: "features" });
    expect([...table.features]).toEqual(expected);
    const schema = tableSchemaFrom(JSON.parse(JSON.stringify(schemaOf(table, datasetFromTable(table), {}))), "m");
    const features = new ValueList();
    const rows = new TableRows(schema, { name: "n.csv", labelled: false });
    [["x"], ...cells.map((cell) => [cell])].forEach((row, index) => rows.encode(row, index + 1, features));
    expect([...features.values]).toEqual(expected);
    expect(() => rows.encode(["31.31.2024"], 9, features)).toThrow(
      /n\.csv, line 9, column 1 \("x"\): "31\.31\.2024" is not a date/,
    );
  });

  test("days that do not exist are not dates", () => {
    expect(tableOfCells(["2023-02-29", "2023-01-01"], { dates: "features" }).columns[0]!.kind).toBe("category");
    expect(tableOfCells(["1.2.3", "4.5.6"], { dates: "features" }).columns[0]!.kind).toBe("category");
  });

  test("name their features, and may have missing values", () => {
    const table = tableOfCells(["2024-02-29", "NA", "2023-12-31"], { dates: "features", missing: "keep" });
    expect(featureNames(table.columns)).toEqual(["x.year", "x.month", "x.day", "x.weekday"]);
    expect([...table.features.subarray(4, 8)]).toEqual([NaN, NaN, NaN, NaN]);
    expect([...datasetFromTable(table, "classification").features.subarray(4, 8)]).toEqual([NaN, NaN, NaN, NaN]);
  });

  test("too many dates for categories are refused, and the message names the option", () => {
    const dates = Array.from(
      { length: 101 },
      (_, index) => `2024-0${1 + Math.floor(index / 28)}-${10 + (index % 19)} ${index % 24}:${10 + (index % 50)}`,
    );
    expect(() => tableOfCells(dates)).toThrow(/more than 100 distinct texts.*dates: "features"/);
  });
});
