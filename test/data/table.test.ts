import { describe, expect, test } from "vitest";
import {
  columnStandardization,
  isRegression,
  standardization,
  type ClassificationDataset,
  type RegressionDataset,
} from "../../src/data/dataset.ts";
import {
  datasetFromTable,
  featureMeans,
  fillMissing,
  momentsOfTargets,
  schemaOf,
  standardizeTargets,
  targetMoments,
  targetsInUnits,
  usualTask,
} from "../../src/data/table-data.ts";
import { datasetFromRows, TableRows } from "../../src/data/table-rows.ts";
import { looksLikeHeader } from "../../src/data/table-columns.ts";
import { featureNames, tableSchemaFrom, type TableSchema } from "../../src/data/table-schema.ts";
import { TableBuilder, type Table, type TableOptions } from "../../src/data/table.ts";
import { Random } from "../../src/random.ts";
import { ValueList } from "../../src/data/values.ts";

/** A table of rows written as "a b c", from line 1 on. */
function tableOf(rows: readonly string[], options: Partial<TableOptions> = {}) {
  const builder = new TableBuilder({ name: "t.csv", ...options });
  rows.forEach((row, index) => builder.add(row.split(" "), index + 1));
  return builder.finish();
}

const flowers = ["length colour label", "1.5 red rose", "2 blue iris", "3.25 red iris"];

describe("a table becomes examples", () => {
  test("numbers as they are, text as one feature for each category, labels in order", () => {
    const table = tableOf(flowers);
    expect(table).toMatchObject({
      header: true,
      width: 3,
      label: { name: "label", position: 3 },
      labelNames: ["iris", "rose"],
    });
    expect(table.columns).toEqual([
      { name: "length", position: 1, kind: "number" },
      { name: "colour", position: 2, kind: "category", categories: ["blue", "red"] },
    ]);
    expect([...table.features]).toEqual([1.5, 0, 1, 2, 1, 0, 3.25, 0, 1]);
    expect([...table.labels]).toEqual([1, 0, 0]);
  });

  test("whole numbers up to 255 stay bytes, and become float32 where one is not", () => {
    expect(tableOf(["0 255 a", "7 1 b"], { label: "last" }).features).toEqual(Uint8Array.of(0, 255, 7, 1));
    expect(tableOf(["0 255 a", "7 256 b"], { label: "last" }).features).toEqual(Float32Array.of(0, 255, 7, 256));
    expect(tableOf(["0 255 a", "-1 1 b"], { label: "last" }).features).toEqual(Float32Array.of(0, 255, -1, 1));
  });

  test.each<[string, string[], boolean]>([
    ["text above numbers", ["a b", "1 2"], true],
    ["names that are numbers beside one that is not", ["label 0 1", "5 3 4"], true],
    ["numbers and a class", ["1.5 rose", "2 iris"], false],
    ["text alone", ["colour kind", "red rose", "blue iris"], true],
    ["a missing value and numbers", ["NA 1", "2 3"], false],
  ])("finds out whether there is a header: %s", (_, rows, expected) => {
    expect(looksLikeHeader(rows[0]!.split(" "), [rows[1]!.split(" ")])).toBe(expected);
  });

  test("takes the label by name, position or last, and else by its usual name", () => {
    const rows = ["a y b", "1 2 3", "4 5 6"];
    const labelOf = (label?: string) => tableOf(rows, label === undefined ? {} : { label }).label.name;
    expect([labelOf("b"), labelOf("1"), labelOf("last"), labelOf()]).toEqual(["b", "a", "b", "y"]);
    expect(() => tableOf(["1 2", "3 4"])).toThrow(
      /^label: t\.csv, line 1: which column .* 1 … 2 or last.*column 1, column 2/,
    );
    expect(() => tableOf(rows, { label: "c" })).toThrow(/there is no column "c".*The columns are a, y, b/);
  });

  test("leaves columns out, and takes numbers as categories, by name or position", () => {
    const table = tableOf(["id code x label", "7 3 1 a", "8 1 2 b"], { drop: ["1"], categorical: ["code"] });
    expect(table.columns.map(({ name }) => name)).toEqual(["code", "x"]);
    expect([...table.features]).toEqual([0, 1, 1, 1, 0, 2]);
  });

  test("labels of one number in several spellings are one class", () => {
    expect(tableOf(["x label", "1 1", "2 1.0", "3 02", "4 10"]).labelNames).toEqual(["1", "2", "10"]);
  });

  test("classes or quantities, by the label or as asked", () => {
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
      /t\.csv, column 2 \("label"\): the label "a" is no number/,
    );
  });

  test("a constant column is standardised to 0", () => {
    const { features } = tableOf(["x c label", "1 9 a", "3 9 b"]);
    const { scale, offset } = columnStandardization(features, 2);
    expect([scale, offset]).toEqual([
      [1, 0],
      [-2, 0],
    ]);
  });

  test.each([1, 2, 3, 17, 150, 1000, 100_000])("random constants of %i rows get scale 0", (rows) => {
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

  test("columns that differ only by float32's rounding are constant; others get mean 0 and deviation 1", () => {
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

  test("missing values are filled by the mean of those that are there", () => {
    const { features } = tableOf(["x c label", "1 red a", "NA ? b", "4 blue b", "4 red b"], { missing: "keep" });
    const fill = featureMeans(features, 3);
    expect(fill).toEqual([3, 1 / 3, 2 / 3]);
    fillMissing(features, fill);
    expect([...features.subarray(3, 6)]).toEqual([3, Math.fround(1 / 3), Math.fround(2 / 3)]);
  });

  test("moments of targets, also of equal ones", () => {
    expect(targetMoments(Float32Array.of(1, 3))).toEqual({ mean: 2, deviation: 1 });
    expect(targetMoments(Float32Array.of(5, 5))).toEqual({ mean: 5, deviation: 1 });
  });
});

/** The values of the only feature, whose cells are given in a table with a label. */
const tableOfCells = (cells: readonly string[], options: Partial<TableOptions> = {}) => {
  const builder = new TableBuilder({ name: "t.csv", label: "l", ...options });
  ["x", ...cells].forEach((cell, index) => builder.add([cell, index === 0 ? "l" : "ab"[index % 2]!], index + 1));
  return builder.finish();
};

describe("numbers as people write them", () => {
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
    ["thousands by the rule, where nothing else tells", ["1,234", "5,678"], [1234, 5678], { decimal: "point" }],
    ["decimals by the rule, where nothing else tells", ["1.234", "5.678"], [1.234, 5.678], undefined],
    ["no group after a zero", ["0,123", "4,567"], [0.123, 4.567], { decimal: "comma" }],
  ])("%s", (_, cells, expected, format) => {
    const table = tableOfCells(cells);
    expect([...table.features]).toEqual(expected.map(Math.fround));
    expect(table.columns).toEqual([{ name: "x", position: 1, kind: "number", format }]);
  });

  test("what a column leaves open follows the other columns, and is remarked on", () => {
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
      /line 2, column 1 .*"1\.5" does not fit .* decimal commas.*decimal, or take/,
    );
  });

  test.each<[string, string[], RegExp]>([
    [
      "both signs",
      ["1,5", "2.5", "3,5"],
      /line 3, .*"2\.5" does not fit the column's numbers, which have decimal commas/,
    ],
    ["two currencies", ["$5", "\u20ac5"], /line 3, .*"\u20ac5" does not fit .* decimal points and \$/],
    ["percent and none", ["5%", "0.5"], /line 3, .*"0\.5" does not fit .* and %/],
    ["numbers beyond float32", ["1", "-1e39"], /line 3, column 1 \("x"\): "-1e39" is beyond the range of float32/],
    ["a first number beyond float32", ["4e38"], /line 2, column 1 \("x"\): "4e38" is beyond/],
  ])("a column of %s is refused", (_, cells, message) => {
    expect(() => tableOfCells(cells)).toThrow(message);
  });

  test("the format that rows after the first thousands break is an error, not a category", () => {
    const cells = Array.from({ length: 3000 }, (_, row) => `${row},5`);
    expect(() => tableOfCells([...cells, "2.5"])).toThrow(/line 3002, .*"2\.5" does not fit/);
    expect(tableOfCells(cells).features.at(-1)).toBe(2999.5);
  });

  test("labels with decimal commas are quantities, and text among them is no class", () => {
    const rows = (cells: readonly string[]) => ["x l", ...cells.map((cell, index) => `${index} ${cell}`)];
    const data = datasetFromTable(tableOf(rows(["112,35", "1.000", "99,5"]), { label: "l" }));
    expect(isRegression(data) && [...data.targets]).toEqual([112.35, 1000, 99.5].map(Math.fround));
    expect(() => usualTask(tableOf(rows(["112.35", "1.5", "ask"]), { label: "l" }))).toThrow(
      /column 2 \("l"\): the label "ask" is no number, but 2 other labels are.*task: "classification"/,
    );
    expect(() => tableOf(rows(["1", "1e39"]), { label: "l" })).toThrow(/line 3, column 2 \("l"\): "1e39" is beyond/);
  });
});

describe("what is doubtful is remarked on", () => {
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
    ["years that follow each other", "x", range(12, (index) => String(1990 + index)), []],
    ["ids", "customer_id", range(12, (index) => String(1000 + 7 * index)), ["id"]],
    ["numbers that are no ids", "income", range(12, (index) => String(1000 + 7 * index)), []],
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
    ["two digits of the year", ["31.12.99", "01.02.24"], [1999, 12, 31, 5, 2024, 2, 1, 4]],
    ["month first, as nothing else tells", ["1/2/2024", "3/4/2024"], [2024, 1, 2, 2, 2024, 3, 4, 1]],
    ["day first, as one tells", ["1/2/2024", "30/4/2024"], [2024, 2, 1, 4, 2024, 4, 30, 2]],
    ["twelve hours", ["1/2/2024 12:05 AM", "3/4/2024 1:05 pm"], [2024, 1, 2, 2, 0, 2024, 3, 4, 1, 13]],
  ])("%s", (_, cells, expected) => {
    const table = tableOfCells(cells, { dates: "features" });
    expect([...table.features]).toEqual(expected);
    const schema = tableSchemaFrom(JSON.parse(JSON.stringify(schemaOf(table, datasetFromTable(table), {}))), "m");
    const features = new ValueList();
    const rows = new TableRows(schema, { name: "n.csv", labelled: false });
    [["x"], ...cells.map((cell) => [cell])].forEach((row, index) => rows.encode(row, index + 1, features));
    expect([...features.values]).toEqual(expected);
    expect(() => rows.encode(["31.31.2024"], 9, features)).toThrow(
      /n\.csv, line 9, column 1 \("x"\): "31\.31\.2024" is no date/,
    );
  });

  test("days that there are not are no dates", () => {
    expect(tableOfCells(["2023-02-29", "2023-01-01"], { dates: "features" }).columns[0]!.kind).toBe("category");
    expect(tableOfCells(["1.2.3", "4.5.6"], { dates: "features" }).columns[0]!.kind).toBe("category");
  });

  test("names and missing values", () => {
    const table = tableOfCells(["2024-02-29", "NA", "2023-12-31"], { dates: "features", missing: "keep" });
    expect(featureNames(table.columns)).toEqual(["x.year", "x.month", "x.day", "x.weekday"]);
    expect([...table.features.subarray(4, 8)]).toEqual([NaN, NaN, NaN, NaN]);
  });

  test("more dates than categories may be name the option", () => {
    const dates = Array.from(
      { length: 101 },
      (_, index) => `2024-0${1 + Math.floor(index / 28)}-${10 + (index % 19)} ${index % 24}:${10 + (index % 50)}`,
    );
    expect(() => tableOfCells(dates)).toThrow(/more than 100 different texts.*dates: "features"/);
  });
});

describe("headers of integers", () => {
  test.each<[string, string[], boolean | "numbers"]>([
    ["pandas' default", ["0 1 2", "5.1 3.5 1.4"], "numbers"],
    ["with a name", ["0 1 species", "5.1 3.5 setosa"], "numbers"],
    ["from 1", ["1 2 3 kind", "5 3 1 a"], "numbers"],
    ["a truth table", ["0 1 yes", "1 1 no", "0 0 yes"], false],
    ["two numbers", ["0 1", "5 3"], false],
    ["numbers that do not count", ["1 2 4", "5 3 1"], false],
  ])("%s", (_, rows, expected) => {
    const [first, ...below] = rows.map((row) => row.split(" "));
    expect(looksLikeHeader(first!, below)).toBe(expected);
  });

  test("can be settled, and a label by name settles it", () => {
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

describe("several quantities", () => {
  const rows = ["a t1 b t2", "1 10 2 5,5", "3 20 4 6,5", "5 60 6 9,5"];
  const table = tableOf(rows, { label: ["t2", "t1"] });

  test("are targets in the order of the labels, and no features", () => {
    const data = datasetFromTable(table);
    expect(data).toMatchObject({ outputs: ["t2", "t1"], targets: Float32Array.of(5.5, 10, 6.5, 20, 9.5, 60) });
    expect([...data.features]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("are standardized each by itself, and brought back", () => {
    const { targets } = datasetFromTable(table) as RegressionDataset;
    const moments = momentsOfTargets(targets, 2);
    expect(moments.map(({ mean }) => mean)).toEqual([21.5 / 3, 30]);
    const standardized = standardizeTargets(targets, moments);
    expect(standardized[1]).toBeCloseTo((10 - 30) / moments[1]!.deviation, 6);
    targetsInUnits(standardized, moments).forEach((value, index) => expect(value).toBeCloseTo(targets[index]!, 4));
  });

  test("are read again by name and by position, with labels and without", () => {
    const target = [
      { mean: 1, deviation: 2 },
      { mean: 10, deviation: 10 },
    ];
    const kept = (source: Table) =>
      tableSchemaFrom(JSON.parse(JSON.stringify(schemaOf(source, datasetFromTable(source), { target }))), "m");
    const encode = (schema: TableSchema, lines: readonly string[], labelled: boolean) => {
      const features = new ValueList();
      const reader = new TableRows(schema, { name: "n.csv", labelled });
      const found = lines
        .map((row, index) => reader.encode(row.split(" "), index + 1, features))
        .filter((row) => row !== undefined);
      return {
        features: [...features.values],
        labels: found.flatMap(({ label, otherLabels }) => [label, ...otherLabels]),
      };
    };
    const named = kept(table);
    expect(encode(named, ["t2 b t1 a", "3,5 7 20 8"], true)).toEqual({ features: [8, 7], labels: [3.5, 20] });
    expect(() => encode(named, ["t2 b a", "3,5 7 8"], true)).toThrow(/the header lacks a column of the model: "t1"/);
    const placed = kept(tableOf(rows.slice(1), { label: ["4", "2"], header: false }));
    for (const row of ["8 1 7 1", "8 7"]) expect(encode(placed, [row], false).features).toEqual([8, 7]);
    const again = datasetFromRows("n", Float32Array.of(8, 7), [3, 20], named);
    expect(isRegression(again) && [...again.targets]).toEqual([1, 1]);
  });

  test("are refused as classes, with the reason", () => {
    expect(() => datasetFromTable(table, "classification")).toThrow(
      /^label: several labels are predicted together as quantities only/,
    );
    expect(() => datasetFromTable(tableOf(["a t1 t2", "1 2 x", "3 4 y"], { label: ["t1", "t2"] }))).toThrow(
      /column 3 \("t2"\): the label "x" is no number, and several labels/,
    );
  });
});

describe("a table that cannot be used is refused with file, line and column", () => {
  test.each<[string, string[], Partial<TableOptions>, RegExp]>([
    [
      "ragged, short",
      ["a label", "1 2", "3"],
      {},
      /^t\.csv, line 3, column 2: the row has 1 column where 2 were expected/,
    ],
    ["ragged, long", ["a label", "1 2", "3 4 5"], {}, /^t\.csv, line 3, column 3: the row has 3 columns/],
    [
      "text in a numeric column",
      ["a label", "1 x", "oops y"],
      {},
      /^t\.csv, line 3, column 1 \("a"\): "oops" is no number.*categorical: \["a"\]/,
    ],
    [
      "a number beyond float32",
      ["a label", "1 x", "1e39 y"],
      {},
      /line 3, column 1 .*"1e39" is beyond the range of float32/,
    ],
    ["no hexadecimal numbers", ["a label", "1 x", "0x10 y"], {}, /line 3, column 1 .*"0x10" is no number/],
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
      "text where it is refused",
      ["a label", "red x", "blue y"],
      { text: "refuse" },
      /line 2, column 1 .*"red" is no number/,
    ],
    [
      "too many categories",
      ["a label", "p x", "q y", "r x"],
      { mostCategories: 2 },
      /line 4, column 1 .*more than 2 different texts/,
    ],
    [
      "two columns of one name",
      ["a a label", "1 2 x"],
      {},
      /^t\.csv, line 1, column 2: a second column has the name "a"/,
    ],
    [
      "a column without values",
      ["a b label", "1 NA x", "2 NA y"],
      { missing: "keep" },
      /^t\.csv, column 2 \("b"\): the column has no values/,
    ],
    ["a header alone", ["a label"], {}, /^t\.csv: there are no rows of data/],
    ["nothing", [], {}, /^t\.csv: there are no rows of data/],
    ["only a label", ["label", "1", "2"], {}, /^t\.csv, line 1: there is no column besides the label/],
  ])("%s", (_, rows, options, message) => {
    expect(() => tableOf(rows, options)).toThrow(message);
  });

  test("one class only", () => {
    expect(() => datasetFromTable(tableOf(["x label", "1 a", "2 a"]))).toThrow(
      /^t\.csv, column 2 \("label"\): every label is "a"/,
    );
  });
});

describe("another table of the same columns", () => {
  const schema = (options: Partial<TableOptions> = {}, rows = flowers, fill?: number[]): TableSchema => {
    const table = tableOf(rows, options);
    const kept = schemaOf(table, datasetFromTable(table), { fill });
    return tableSchemaFrom(JSON.parse(JSON.stringify(kept)), "m");
  };
  const read = (known: TableSchema, rows: readonly string[], labelled = true) => {
    const features = new ValueList();
    const reader = new TableRows(known, { name: "n.csv", labelled });
    const labels = rows
      .map((row, index) => reader.encode(row.split(" "), index + 1, features))
      .filter((row) => row !== undefined);
    return { labels: labels.map(({ label }) => label), features: [...features.values] };
  };

  test("is read in any order, with columns that the model does not know", () => {
    const again = read(schema(), ["extra label colour length", "9 iris blue 4", "9 rose red 5"]);
    expect(again).toEqual({ labels: [0, 1], features: [4, 1, 0, 5, 0, 1] });
  });

  test("needs no label to predict", () => {
    expect(read(schema(), ["colour length", "red 4"], false)).toEqual({ labels: [undefined], features: [4, 0, 1] });
    expect(() => read(schema(), ["colour length", "red 4"])).toThrow(
      /^n\.csv, line 1: the header lacks a column of the model: "label"/,
    );
  });

  test("goes by position where the model knows no names: all columns, without the label, or the features alone", () => {
    const known = schema({ label: "2", drop: ["3"] }, ["1 a 8 2", "3 b 8 4"]);
    expect(known.header).toBe(false);
    for (const row of ["5 a 9 6", "5 9 6", "5 6"]) expect(read(known, [row], false).features).toEqual([5, 6]);
    expect(() => read(known, ["5"], false)).toThrow(/^n\.csv, line 1, column 2: the row has 1 column where 3/);
    expect(() => read(known, ["5 9 6"])).toThrow(/the row has 3 columns where 4 were expected/);
  });

  test("fills missing values as in training, or refuses them", () => {
    expect(read(schema({}, flowers, [7, 0.5, 0.25]), ["colour label length", "NA rose NA"]).features).toEqual([
      7, 0.5, 0.25,
    ]);
    expect(() => read(schema(), ["colour label length", "red rose NA"])).toThrow(
      /^n\.csv, line 2, column 3 \("length"\): the value is missing/,
    );
  });

  test.each<[string, string, RegExp]>([
    [
      "a label seen only there",
      "2 red tulip",
      /^n\.csv, line 2, column 3 \("label"\): the model knows no label "tulip".*iris, rose/,
    ],
    [
      "a category seen only there",
      "2 green iris",
      /^n\.csv, line 2, column 2 \("colour"\): the model knows no category "green".*blue, red/,
    ],
    [
      "text in a numeric column",
      "x red iris",
      /^n\.csv, line 2, column 1 \("length"\): "x" is no number, and the model was trained on numbers here\. Correct the cell, or leave the row out\.$/,
    ],
    ["a ragged row", "2 red", /^n\.csv, line 2, column 3: the row has 2 columns where 3/],
  ])("is refused with %s", (_, row, message) => {
    expect(() => read(schema(), ["length colour label", row])).toThrow(message);
  });

  test("gives quantities by the mean and deviation of training", () => {
    const table = tableOf(["x y", "1 10", "2 30.5"]);
    const known = schemaOf(table, datasetFromTable(table), { target: { mean: 20, deviation: 5 } });
    const data = datasetFromRows("n", Float32Array.of(1, 2), [25, 20], known);
    expect(isRegression(data) && [...data.targets]).toEqual([1, 0]);
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    [
      "no columns",
      { header: true, width: 2, columns: [], label: { name: "l", position: 1, kind: "class", classes: ["a"] } },
    ],
    ["too few values to fill", { ...schema(), fill: [1] }],
    ["no classes", { ...schema(), label: { name: "l", position: 1, kind: "class" } }],
  ])("a model file with %s is refused", (_, value) => {
    expect(() => tableSchemaFrom(value, "m.safetensors")).toThrow(/^m\.safetensors: the metadata's entry "table"/);
  });
});
