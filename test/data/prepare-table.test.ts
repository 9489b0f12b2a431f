import { expect, test } from "vitest";
import { isRegression, type RegressionDataset } from "../../src/data/dataset.ts";
import { prepareTable } from "../../src/data/prepare-table.ts";
import { takeExamples } from "../../src/data/split.ts";
import { datasetFromTable, inUnitsOf } from "../../src/data/table-data.ts";
import { featuresOfRecords } from "../../src/data/table-rows.ts";
import { TableBuilder } from "../../src/data/table.ts";

const rows = [
  ["area", "city", "price"],
  ["10", "Bern", "1,5"],
  ["", "Zug", "2,5"],
  ["30", "Bern", "3,5"],
  ["1000", "Zug", "100,5"],
  ["", "Bern", "7,5"],
];

function homes() {
  const builder = new TableBuilder({ name: "homes.csv", label: "price", missing: "keep", decimal: "comma" });
  rows.forEach((cells, index) => builder.add(cells, index + 1));
  const table = builder.finish();
  const all = datasetFromTable(table, "regression");
  const part = (indices: number[], name: string) => takeExamples(all, Uint32Array.from(indices), name);
  return { table, all, train: part([0, 1, 2], "train"), validation: part([3, 4], "validation") };
}

const featuresOf = ({ features }: { features: ArrayLike<number> }) => Array.from(features);

test("gaps are filled, and columns standardized, with constants of the training part", () => {
  const { table, train, validation } = homes();
  const prepared = prepareTable(table, { train, validation }, { missing: "mean" });
  expect(featuresOf(prepared.train)).toEqual([10, 1, 0, 20, 0, 1, 30, 1, 0]);
  expect(featuresOf(prepared.validation)).toEqual([1000, 0, 1, 20, 1, 0]);
  expect(prepared.schema.fill).toEqual([20, 2 / 3, 1 / 3].map((value) => expect.closeTo(value, 6)));
  const { scale, offset } = prepared.normalization as { scale: number[]; offset: number[] };
  expect(20 * scale[0]! + offset[0]!).toBeCloseTo(0, 6);
  expect(30 * scale[0]! + offset[0]!).toBeCloseTo(Math.sqrt(1.5), 6);
  const { targets } = prepared.train as RegressionDataset;
  expect(Array.from(targets)).toEqual([-1, 0, 1].map((value) => expect.closeTo(value * Math.sqrt(1.5), 6)));
  expect(inUnitsOf(prepared.schema, targets)).toEqual(Float32Array.of(1.5, 2.5, 3.5));
  expect(isRegression(prepared.validation) && inUnitsOf(prepared.schema, prepared.validation.targets)[0]).toBe(100.5);
  expect(featuresOf(train)[3]).toBeNaN();
});

test("without filling and standardization the parts stay as they are", () => {
  const { table, train } = homes();
  const prepared = prepareTable(table, { train }, { standardize: false });
  expect(prepared.train).toBe(train);
  expect(prepared.normalization).toEqual({ scale: 1, offset: 0 });
  expect(prepared.schema.fill).toBeUndefined();
  expect(prepareTable(table, { train }, { missing: "zero" }).schema.fill).toEqual([0, 0, 0]);
});

test("missing values are filled before columns are standardized", () => {
  const { table, all, validation } = homes();
  const whole = takeExamples(all, Uint32Array.of(0, 2), "train");
  expect(() => prepareTable(table, { train: whole, validation })).toThrow(
    /^prepareTable missing: validation has missing values\. Give "mean" or "zero"/,
  );
  expect(prepareTable(table, { train: whole }).normalization).toBeDefined();
});

test("unknown options are refused", () => {
  const { table, train } = homes();
  const prepare = (options: object) => () => prepareTable(table, { train }, options);
  expect(prepare({ missing: "median" })).toThrow(/^prepareTable: missing is "median"\. Give "mean" or "zero"/);
  expect(prepare({ standardise: false })).toThrow(/there is no option "standardise"\. Did you mean standardize\?$/);
});

test("records become the features of their columns, in any order", () => {
  const { table, train } = homes();
  const { schema } = prepareTable(table, { train }, { missing: "mean" });
  const records = [
    { city: "Zug", area: 12.5, other: true },
    { area: "12,5", city: "Bern" },
    { area: null, city: "Bern" },
  ];
  const features = Array.from(featuresOfRecords(schema, records));
  expect(features).toEqual([12.5, 0, 1, 12.5, 1, 0, 20, 1, 0]);
});

test("a record is refused with its number and the column", () => {
  const { table, train } = homes();
  const { schema } = prepareTable(table, { train }, { standardize: false });
  const refusal = (record: Record<string, string | number | null>) => () =>
    featuresOfRecords(schema, [{ area: 1, city: "Bern" }, record], "request");
  expect(refusal({ area: 1 })).toThrow(/^request, record 2, "city": the record has no such value\. Give it, or/);
  expect(refusal({ area: 1, city: "Basel" })).toThrow(
    /record 2, "city": the model does not know the category "Basel"; it was trained on Bern, Zug/,
  );
  expect(refusal({ area: "x", city: "Zug" })).toThrow(/^request, record 2, "area": "x" is not a number/);
  expect(refusal({ area: null, city: "Zug" })).toThrow(/^request, record 2, "area": the value is missing/);
  expect(refusal({ area: [1, 2] as never, city: "Zug" })).toThrow(/^request, record 2, "area": \[1,2\] is not a value/);
  expect(refusal(null as never)).toThrow(/^request, record 2: null is not a record/);
  expect(refusal({ area: 1e39, city: "Zug" })).toThrow(/^request, record 2, "area": "1e\+39"/);
});
