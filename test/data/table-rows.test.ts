import { describe, expect, test } from "vitest";
import { isRegression, type RegressionDataset } from "../../src/data/dataset.ts";
import {
  datasetFromTable,
  momentsOfTargets,
  schemaOf,
  standardizeTargets,
  targetsInUnits,
} from "../../src/data/table-data.ts";
import { datasetFromRows, TableRows } from "../../src/data/table-rows.ts";
import { tableSchemaFrom, type TableSchema } from "../../src/data/table-schema.ts";
import { type Table, type TableOptions } from "../../src/data/table.ts";
import { ValueList } from "../../src/data/values.ts";
import { flowers, tableOf } from "./tables.ts";

describe("several label columns", () => {
  const rows = ["a t1 b t2", "1 10 2 5,5", "3 20 4 6,5", "5 60 6 9,5"];
  const table = tableOf(rows, { label: ["t2", "t1"] });

  test("are targets in the order of the labels, and not features", () => {
    const data = datasetFromTable(table);
    expect(data).toMatchObject({ outputs: ["t2", "t1"], targets: Float32Array.of(5.5, 10, 6.5, 20, 9.5, 60) });
    expect([...data.features]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("are standardized separately, and converted back", () => {
    const { targets } = datasetFromTable(table) as RegressionDataset;
    const moments = momentsOfTargets(targets, 2);
    expect(moments.map(({ mean }) => mean)).toEqual([21.5 / 3, 30]);
    const standardized = standardizeTargets(targets, moments);
    expect(standardized[1]).toBeCloseTo((10 - 30) / moments[1]!.deviation, 6);
    targetsInUnits(standardized, moments).forEach((value, index) => expect(value).toBeCloseTo(targets[index]!, 4));
  });

  test("are read by name and by position, with and without labels", () => {
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
    expect(() => encode(named, ["t2 b a", "3,5 7 8"], true)).toThrow(
      /the header lacks a column that the model needs: "t1"/,
    );
    const placed = kept(tableOf(rows.slice(1), { label: ["4", "2"], header: false }));
    for (const row of ["8 1 7 1", "8 7"]) expect(encode(placed, [row], false).features).toEqual([8, 7]);
    const again = datasetFromRows("n", Float32Array.of(8, 7), [3, 20], named);
    expect(isRegression(again) && [...again.targets]).toEqual([1, 1]);
  });

  test("are refused for classification, with the reason", () => {
    expect(() => datasetFromTable(table, "classification")).toThrow(
      /^label: several label columns are supported only for regression/,
    );
    expect(() => datasetFromTable(tableOf(["a t1 t2", "1 2 x", "3 4 y"], { label: ["t1", "t2"] }))).toThrow(
      /column 3 \("t2"\): the label "x" is not a number, and several label columns/,
    );
  });
});

describe("another table with the same columns", () => {
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

  test("is read in any order, ignoring unknown columns", () => {
    const again = read(schema(), ["extra label color length", "9 iris blue 4", "9 rose red 5"]);
    expect(again).toEqual({ labels: [0, 1], features: [4, 1, 0, 5, 0, 1] });
  });

  test("needs no label for prediction", () => {
    expect(read(schema(), ["color length", "red 4"], false)).toEqual({ labels: [undefined], features: [4, 0, 1] });
    expect(() => read(schema(), ["color length", "red 4"])).toThrow(
      /^n\.csv, line 1: the header lacks a column that the model needs: "label"/,
    );
  });

  test("is read by position if the model has no names: all columns, all except the label, or only the features", () => {
    const known = schema({ label: "2", drop: ["3"] }, ["1 a 8 2", "3 b 8 4"]);
    expect(known.header).toBe(false);
    for (const row of ["5 a 9 6", "5 9 6", "5 6"]) expect(read(known, [row], false).features).toEqual([5, 6]);
    expect(() => read(known, ["5"], false)).toThrow(/^n\.csv, line 1, column 2: the row has 1 column but 3/);
    expect(() => read(known, ["5 9 6"])).toThrow(/the row has 3 columns but 4 were expected/);
  });

  test("fills missing values as in training, or refuses them", () => {
    expect(read(schema({}, flowers, [7, 0.5, 0.25]), ["color label length", "NA rose NA"]).features).toEqual([
      7, 0.5, 0.25,
    ]);
    expect(() => read(schema(), ["color label length", "red rose NA"])).toThrow(
      /^n\.csv, line 2, column 3 \("length"\): the value is missing/,
    );
  });

  test.each<[string, string, RegExp]>([
    [
      "an unknown label",
      "2 red tulip",
      /^n\.csv, line 2, column 3 \("label"\): the model does not know the label "tulip".*iris, rose/,
    ],
    [
      "an unknown category",
      "2 green iris",
      /^n\.csv, line 2, column 2 \("color"\): the model does not know the category "green".*blue, red/,
    ],
    [
      "text in a numeric column",
      "x red iris",
      /^n\.csv, line 2, column 1 \("length"\): "x" is not a number, but the model was trained on numbers in this column\. Correct the cell, or remove the row\.$/,
    ],
    ["a ragged row", "2 red", /^n\.csv, line 2, column 3: the row has 2 columns but 3/],
  ])("is refused with %s", (_, row, message) => {
    expect(() => read(schema(), ["length color label", row])).toThrow(message);
  });

  test("is refused with an unknown category, by a short message also if the known ones are long", () => {
    const [one, other] = ["a", "b"].map((letter) => letter.repeat(3000));
    const known = schema({}, ["color label", `${one} x`, `${other} y`]);
    expect(() => read(known, ["color label", "c x"])).toThrow(/trained on a{59}…, b{59}…\. Remove/);
  });

  test("standardizes targets with the mean and deviation of training", () => {
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
    ["too few fill values", { ...schema(), fill: [1] }],
    ["no classes", { ...schema(), label: { name: "l", position: 1, kind: "class" } }],
  ])("a model file with %s is refused", (_, value) => {
    expect(() => tableSchemaFrom(value, "m.safetensors")).toThrow(/^m\.safetensors: the metadata's entry "table"/);
  });
});
