import { expect, test } from "vitest";
import { rounded, scaled } from "../../../src/web/shared/format.ts";

test("formats numbers with three significant digits", () => {
  expect([0.00299999, 1234.5, 0, 3e-7, 2e7, NaN].map(rounded)).toEqual([
    "0.003",
    "1230",
    "0",
    "3.00e-7",
    "2.00e+7",
    "–",
  ]);
  expect([0, 12, 999, 1000, 12_834_000].map(scaled)).toEqual(["0", "12", "999", "1.00 k", "12.8 M"]);
});
