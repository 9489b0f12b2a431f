import { describe, expect, test } from "vitest";
import { columnStandardization, isRegression, standardization, type Dataset } from "../../src/data/dataset.ts";
import { datasetFromTable, featureMeans, fillMissing, schemaOf, targetMoments, usualTask } from "../../src/data/table-data.ts";
import { datasetFromRows, TableRows } from "../../src/data/table-rows.ts";
import { looksLikeHeader } from "../../src/data/table-columns.ts";
import { tableSchemaFrom, type TableSchema } from "../../src/data/table-schema.ts";
import { TableBuilder, type TableOptions } from "../../src/data/table.ts";
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
    expect(table).toMatchObject({ header: true, width: 3, label: { name: "label", position: 3 }, labelNames: ["iris", "rose"] });
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
    expect(() => tableOf(["1 2", "3 4"])).toThrow(/^--label: t\.csv, line 1: which column .* 1 … 2 or last.*column 1, column 2/);
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
    const task = (labels: readonly (number | string)[]) => usualTask(tableOf(["x label", ...labels.map((label) => `1 ${label}`)]));
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
    expect([task(["a", "b"]), task([0, 1]), task(upTo(20))]).toEqual(["classification", "classification", "classification"]);
    expect([task(upTo(21)), task([0.5, 1]), task(["1", "a"])]).toEqual(["regression", "regression", "classification"]);
    const table = tableOf(["x label", "1 3", "2 4.5"]);
    const data = datasetFromTable(table);
    expect(isRegression(data) && [...data.targets]).toEqual([3, 4.5]);
    expect((datasetFromTable(table, "classification") as Dataset).classes).toEqual(["3", "4.5"]);
    expect(() => datasetFromTable(tableOf(["x label", "1 3", "2 a"]), "regression")).toThrow(/t\.csv, column 2 \("label"\): the label "a" is no number/);
  });

  test("a constant column is standardised to 0", () => {
    const { features } = tableOf(["x c label", "1 9 a", "3 9 b"]);
    const { scale, offset } = columnStandardization(features, 2);
    expect([scale, offset]).toEqual([[1, 0], [-2, 0]]);
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
      const spread = (relative: number) => Float32Array.from({ length: rows }, (_, row) => value * (1 + relative * (row % 2)));
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

describe("a table that cannot be used is refused with file, line and column", () => {
  test.each<[string, string[], Partial<TableOptions>, RegExp]>([
    ["ragged, short", ["a label", "1 2", "3"], {}, /^t\.csv, line 3, column 2: the row has 1 columns where 2 were expected/],
    ["ragged, long", ["a label", "1 2", "3 4 5"], {}, /^t\.csv, line 3, column 3: the row has 3 columns/],
    ["text in a numeric column", ["a label", "1 x", "oops y"], {}, /^t\.csv, line 3, column 1 \("a"\): "oops" is no number.*--categorical a/],
    ["a number beyond float32", ["a label", "1 x", "1e39 y"], {}, /line 3, column 1 .*"1e39" is beyond the range of float32/],
    ["no hexadecimal numbers", ["a label", "1 x", "0x10 y"], {}, /line 3, column 1 .*"0x10" is no number/],
    ["a missing value", ["a label", "1 x", "NA y"], {}, /^t\.csv, line 3, column 1 \("a"\): the value is missing.*--missing mean/],
    ["a missing label", ["a label", "1 x", "2 ?"], { missing: "keep" }, /^t\.csv, line 3, column 2 \("label"\): the label is missing/],
    ["text where it is refused", ["a label", "red x", "blue y"], { text: "refuse" }, /line 2, column 1 .*"red" is no number/],
    ["too many categories", ["a label", "p x", "q y", "r x"], { mostCategories: 2 }, /line 4, column 1 .*more than 2 different texts/],
    ["two columns of one name", ["a a label", "1 2 x"], {}, /^t\.csv, line 1, column 2: a second column has the name "a"/],
    ["a column without values", ["a b label", "1 NA x", "2 NA y"], { missing: "keep" }, /^t\.csv, column 2 \("b"\): the column has no values/],
    ["a header alone", ["a label"], {}, /^t\.csv: there are no rows of data/],
    ["nothing", [], {}, /^t\.csv: there are no rows of data/],
    ["only a label", ["label", "1", "2"], {}, /^t\.csv, line 1: there is no column besides the label/],
  ])("%s", (_, rows, options, message) => {
    expect(() => tableOf(rows, options)).toThrow(message);
  });

  test("one class only", () => {
    expect(() => datasetFromTable(tableOf(["x label", "1 a", "2 a"]))).toThrow(/^t\.csv, column 2 \("label"\): every label is "a"/);
  });
});

describe("another table of the same columns", () => {
  const schema = (options: Partial<TableOptions> = {}, rows = flowers, fill?: number[]): TableSchema => {
    const table = tableOf(rows, options);
    const kept = schemaOf(table, datasetFromTable(table), { ...(fill && { fill }) });
    return tableSchemaFrom(JSON.parse(JSON.stringify(kept)), "m");
  };
  const read = (known: TableSchema, rows: readonly string[], labelled = true) => {
    const features = new ValueList();
    const reader = new TableRows(known, { name: "n.csv", labelled });
    const labels = rows.map((row, index) => reader.encode(row.split(" "), index + 1, features)).filter((row) => row !== undefined);
    return { labels: labels.map(({ label }) => label), features: [...features.values] };
  };

  test("is read in any order, with columns that the model does not know", () => {
    const again = read(schema(), ["extra label colour length", "9 iris blue 4", "9 rose red 5"]);
    expect(again).toEqual({ labels: [0, 1], features: [4, 1, 0, 5, 0, 1] });
  });

  test("needs no label to predict", () => {
    expect(read(schema(), ["colour length", "red 4"], false)).toEqual({ labels: [undefined], features: [4, 0, 1] });
    expect(() => read(schema(), ["colour length", "red 4"])).toThrow(/^n\.csv, line 1: the header lacks a column of the model: "label"/);
  });

  test("goes by position where the model knows no names: all columns, without the label, or the features alone", () => {
    const known = schema({ label: "2", drop: ["3"] }, ["1 a 8 2", "3 b 8 4"]);
    expect(known.header).toBe(false);
    for (const row of ["5 a 9 6", "5 9 6", "5 6"]) expect(read(known, [row], false).features).toEqual([5, 6]);
    expect(() => read(known, ["5"], false)).toThrow(/^n\.csv, line 1, column 2: the row has 1 columns where 3/);
    expect(() => read(known, ["5 9 6"])).toThrow(/the row has 3 columns where 4 were expected/);
  });

  test("fills missing values as in training, or refuses them", () => {
    expect(read(schema({}, flowers, [7, 0.5, 0.25]), ["colour label length", "NA rose NA"]).features).toEqual([7, 0.5, 0.25]);
    expect(() => read(schema(), ["colour label length", "red rose NA"])).toThrow(/^n\.csv, line 2, column 3 \("length"\): the value is missing/);
  });

  test.each<[string, string, RegExp]>([
    ["a label seen only there", "2 red tulip", /^n\.csv, line 2, column 3 \("label"\): the model knows no label "tulip".*iris, rose/],
    ["a category seen only there", "2 green iris", /^n\.csv, line 2, column 2 \("colour"\): the model knows no category "green".*blue, red/],
    ["text in a numeric column", "x red iris", /^n\.csv, line 2, column 1 \("length"\): "x" is no number, and the model was trained on numbers here\. Correct the cell, or leave the row out\.$/],
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
    ["no columns", { header: true, width: 2, columns: [], label: { name: "l", position: 1, kind: "class", classes: ["a"] } }],
    ["too few values to fill", { ...schema(), fill: [1] }],
    ["no classes", { ...schema(), label: { name: "l", position: 1, kind: "class" } }],
  ])("a model file with %s is refused", (_, value) => {
    expect(() => tableSchemaFrom(value, "m.safetensors")).toThrow(/^m\.safetensors: the metadata's entry "table"/);
  });
});
