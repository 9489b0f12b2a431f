import { describe, expect, test } from "vitest";
import {
  columnStandardization,
  isRegression,
  standardization,
  type ClassificationDataset,
} from "../../src/data/dataset.ts";
import { datasetFromTable, featureMeans, fillMissing, targetMoments, usualTask } from "../../src/data/table-data.ts";
import { looksLikeHeader } from "../../src/data/table-columns.ts";
import { type TableOptions } from "../../src/data/table.ts";
import { Random } from "../../src/random.ts";
import { flowers, tableOf } from "./tables.ts";

/** The name of a column that a message shortens, or replaces by its position. */
const LONG = "x".repeat(3000);

describe("a table becomes examples", () => {
  test("numbers are kept, text becomes one feature per category, and labels are sorted", () => {
    const table = tableOf(flowers);
    expect(table).toMatchObject({
      header: true,
      width: 3,
      label: { name: "label", position: 3 },
      labelNames: ["iris", "rose"],
    });
    expect(table.columns).toEqual([
      { name: "length", position: 1, kind: "number" },
      { name: "color", position: 2, kind: "category", categories: ["blue", "red"] },
    ]);
    expect([...table.features]).toEqual([1.5, 0, 1, 2, 1, 0, 3.25, 0, 1]);
    expect([...table.labels]).toEqual([1, 0, 0]);
  });

  test("whole numbers up to 255 are stored as bytes, and as float32 if one is not such a number", () => {
    expect(tableOf(["0 255 a", "7 1 b"], { label: "last" }).features).toEqual(Uint8Array.of(0, 255, 7, 1));
    expect(tableOf(["0 255 a", "7 256 b"], { label: "last" }).features).toEqual(Float32Array.of(0, 255, 7, 256));
    expect(tableOf(["0 255 a", "-1 1 b"], { label: "last" }).features).toEqual(Float32Array.of(0, 255, -1, 1));
  });

  test.each<[string, string[], boolean]>([
    ["text above numbers", ["a b", "1 2"], true],
    ["numeric names beside one that is text", ["label 0 1", "5 3 4"], true],
    ["numbers and a class", ["1.5 rose", "2 iris"], false],
    ["text alone", ["color kind", "red rose", "blue iris"], true],
    ["a missing value and numbers", ["NA 1", "2 3"], false],
  ])("detects a header: %s", (_, rows, expected) => {
    expect(looksLikeHeader(rows[0]!.split(" "), [rows[1]!.split(" ")])).toBe(expected);
  });

  test('takes the label by name, position or "last", and by default by its usual name', () => {
    const rows = ["a y b", "1 2 3", "4 5 6"];
    const labelOf = (label?: string) => tableOf(rows, label === undefined ? {} : { label }).label.name;
    expect([labelOf("b"), labelOf("1"), labelOf("last"), labelOf()]).toEqual(["b", "a", "b", "y"]);
    expect(() => tableOf(["1 2", "3 4"])).toThrow(
      /^label: t\.csv, line 1: the label column is not known.* 1 … 2, or "last".*column 1, column 2/,
    );
    expect(() => tableOf(rows, { label: "c" })).toThrow(/there is no column "c".*The columns are a, y, b/);
    expect(() => tableOf([`${LONG} b`, "1 2"], { label: "c" })).toThrow(/The columns are x{59}…, b\.$/);
  });

  test("ignores columns, and treats numbers as categories, by name or position", () => {
    const table = tableOf(["id code x label", "7 3 1 a", "8 1 2 b"], { drop: ["1"], categorical: ["code"] });
    expect(table.columns.map(({ name }) => name)).toEqual(["code", "x"]);
    expect([...table.features]).toEqual([0, 1, 1, 1, 0, 2]);
  });

  test("different spellings of one number are one class", () => {
    expect(tableOf(["x label", "1 1", "2 1.0", "3 02", "4 10"]).labelNames).toEqual(["1", "2", "10"]);
  });

  test("the task depends on the label or the option", () => {
    const task = (labels: readonly (number | string)[]) =>
      usualTask(tableOf(["x label", ...labels.map((label) => `1 ${label}`)]));
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
    expect([task(["a", "b"]), task([0, 1]), task(upTo(20))]).toEqual([
      "classification",
      "classification",
      "classification",
    ]);
    expect([task(upTo(21)), task([0.5, 1]), task(["1", "a"])]).toEqual(["regression", "regression", "classification"]);
    const table = tableOf(["x label", "1 3", "2 4.5"]);
    const data = datasetFromTable(table);
    expect(isRegression(data) && [...data.targets]).toEqual([3, 4.5]);
    expect((datasetFromTable(table, "classification") as ClassificationDataset).classes).toEqual(["3", "4.5"]);
    expect(() => datasetFromTable(tableOf(["x label", "1 3", "2 a"]), "regression")).toThrow(
      /t\.csv, column 2 \("label"\): the label "a" is not a number/,
    );
  });

  test("a constant column is standardized to 0", () => {
    const { features } = tableOf(["x c label", "1 9 a", "3 9 b"]);
    const { scale, offset } = columnStandardization(features, 2);
    expect([scale, offset]).toEqual([
      [1, 0],
      [-2, 0],
    ]);
  });

  test.each([1, 2, 3, 17, 150, 1000, 100_000])("%i rows of a random constant get scale 0", (rows) => {
    const columns = Math.min(3000, 3_000_000 / rows);
    const random = new Random(rows);
    const constants = Float32Array.from({ length: columns }, () => random.normal(0, 1) * 10 ** random.uniform(-35, 35));
    const features = Float32Array.from({ length: rows * columns }, (_, index) => constants[index % columns]!);
    const { scale, offset } = columnStandardization(features, columns);
    expect(scale).toEqual(new Array(columns).fill(0));
    expect(offset).toEqual(new Array(columns).fill(0));
    for (const value of constants.subarray(0, 20)) {
      const column = new Float32Array(rows).fill(value);
      expect(standardization(column)).toEqual({ scale: 0, offset: 0 });
      expect(targetMoments(column).deviation).toBe(1);
    }
  });

  test("columns that differ only by the rounding of float32 are constant; others get mean 0 and deviation 1", () => {
    const random = new Random(7);
    for (let round = 0; round < 2000; round++) {
      const rows = 2 + random.below(200);
      const value = random.normal(0, 1) * 10 ** random.uniform(-30, 30);
      const spread = (relative: number) =>
        Float32Array.from({ length: rows }, (_, row) => value * (1 + relative * (row % 2)));
      expect(columnStandardization(spread(2 ** -24), 1).scale).toEqual([0]);
      const varied = spread(10 ** random.uniform(-5, 1));
      const { scale, offset } = columnStandardization(varied, 1) as { scale: number[]; offset: number[] };
      const seen = Array.from(varied, (feature) => feature * scale[0]! + offset[0]!);
      const mean = seen.reduce((sum, feature) => sum + feature) / rows;
      expect(Math.abs(mean)).toBeLessThan(1e-6);
      expect(Math.sqrt(seen.reduce((sum, feature) => sum + (feature - mean) ** 2, 0) / rows)).toBeCloseTo(1, 6);
    }
  });

  test("missing values are filled with the mean of the others", () => {
    const { features } = tableOf(["x c label", "1 red a", "NA ? b", "4 blue b", "4 red b"], { missing: "keep" });
    const fill = featureMeans(features, 3);
    expect(fill).toEqual([3, 1 / 3, 2 / 3]);
    fillMissing(features, fill);
    expect([...features.subarray(3, 6)]).toEqual([3, Math.fround(1 / 3), Math.fround(2 / 3)]);
  });

  test("computes the moments of targets, also if all are equal", () => {
    expect(targetMoments(Float32Array.of(1, 3))).toEqual({ mean: 2, deviation: 1 });
    expect(targetMoments(Float32Array.of(5, 5))).toEqual({ mean: 5, deviation: 1 });
  });
});

describe("headers of integers", () => {
  test.each<[string, string[], boolean | "numbers"]>([
    ["pandas' default", ["0 1 2", "5.1 3.5 1.4"], "numbers"],
    ["with a name", ["0 1 species", "5.1 3.5 setosa"], "numbers"],
    ["from 1", ["1 2 3 kind", "5 3 1 a"], "numbers"],
    ["a truth table", ["0 1 yes", "1 1 no", "0 0 yes"], false],
    ["two numbers", ["0 1", "5 3"], false],
    ["numbers that are not consecutive", ["1 2 4", "5 3 1"], false],
  ])("%s", (_, rows, expected) => {
    const [first, ...below] = rows.map((row) => row.split(" "));
    expect(looksLikeHeader(first!, below)).toBe(expected);
  });

  test("can be overridden, and a label given by name decides", () => {
    const rows = ["0 1 species", "5.1 3.5 setosa", "4 3 iris"];
    expect(tableOf(rows, { label: "species" })).toMatchObject({
      header: true,
      numberedHeader: true,
      labelNames: ["iris", "setosa"],
    });
    expect(tableOf(rows, { label: "last", header: false }).labels).toHaveLength(3);
    expect(tableOf(["5 9 species", "5.1 3.5 setosa", "4 3 iris"], { label: "species" })).toMatchObject({
      header: true,
      numberedHeader: false,
    });
  });
});

describe("an invalid table is refused with file, line and column", () => {
  test.each<[string, string[], Partial<TableOptions>, RegExp]>([
    [
      "a row that is too short",
      ["a label", "1 2", "3"],
      {},
      /^t\.csv, line 3, column 2: the row has 1 column but 2 were expected/,
    ],
    ["a row that is too long", ["a label", "1 2", "3 4 5"], {}, /^t\.csv, line 3, column 3: the row has 3 columns/],
    [
      "text in a numeric column",
      ["a label", "1 x", "oops y"],
      {},
      /^t\.csv, line 3, column 1 \("a"\): "oops" is not a number.*categorical: \["a"\]/,
    ],
    [
      "a number outside the range of float32",
      ["a label", "1 x", "1e39 y"],
      {},
      /line 3, column 1 .*"1e39" is outside the range of float32/,
    ],
    ["a hexadecimal number", ["a label", "1 x", "0x10 y"], {}, /line 3, column 1 .*"0x10" is not a number/],
    [
      "a missing value",
      ["a label", "1 x", "NA y"],
      {},
      /^t\.csv, line 3, column 1 \("a"\): the value is missing.*missing: "keep"/,
    ],
    [
      "a missing label",
      ["a label", "1 x", "2 ?"],
      { missing: "keep" },
      /^t\.csv, line 3, column 2 \("label"\): the label is missing/,
    ],
    [
      "text, if it is refused",
      ["a label", "red x", "blue y"],
      { text: "refuse" },
      /line 2, column 1 .*"red" is not a number/,
    ],
    [
      "too many categories",
      ["a label", "p x", "q y", "r x"],
      { mostCategories: 2 },
      /line 4, column 1 .*more than 2 distinct texts/,
    ],
    [
      "too many categories in a column with a long name",
      [`${LONG} label`, "p x", "q y", "r x"],
      { mostCategories: 2 },
      /line 4, column 1 .*Ignore it with drop: \["1"\]/,
    ],
    [
      "two columns with the same name",
      ["a a label", "1 2 x"],
      {},
      /^t\.csv, line 1, column 2: another column is also named "a"/,
    ],
    [
      "a column without values",
      ["a b label", "1 NA x", "2 NA y"],
      { missing: "keep" },
      /^t\.csv, column 2 \("b"\): the column has no values/,
    ],
    ["only a header", ["a label"], {}, /^t\.csv: the table has no rows of data/],
    ["nothing", [], {}, /^t\.csv: the table has no rows of data/],
    ["only a label", ["label", "1", "2"], {}, /^t\.csv, line 1: the table has no columns other than the label/],
  ])("%s", (_, rows, options, message) => {
    expect(() => tableOf(rows, options)).toThrow(message);
  });

  test("a single class is refused", () => {
    expect(() => datasetFromTable(tableOf(["x label", "1 a", "2 a"]))).toThrow(
      /^t\.csv, column 2 \("label"\): every label is "a"/,
    );
  });
});
