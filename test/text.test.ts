import { expect, test } from "vitest";
import { count, csvCell, excerpt, percent, scaled, shortened } from "../src/text.ts";

test("truncates a long text to the given length", () => {
  expect(shortened("a".repeat(60))).toBe("a".repeat(60));
  expect(shortened("abcdef", 4)).toBe("abc…");
});

test.each<[unknown, string]>([
  ["a\n", '"a\\n"'],
  [[1, "b"], '[1,"b"]'],
  [null, "null"],
  [undefined, "undefined"],
  [NaN, "NaN"],
  [-0.5, "-0.5"],
  ["x".repeat(100), `"${"x".repeat(78)}…`],
])("%j in a message is %s", (value, text) => expect(excerpt(value)).toBe(text));

test("percentages have a percent sign, and a dash stands for values that are not finite", () => {
  expect([0.9375, 0, 1, NaN, Infinity].map((share) => percent(share))).toEqual([
    "93.8 %",
    "0.0 %",
    "100.0 %",
    "–",
    "–",
  ]);
  expect(percent(0.125, 0)).toBe("13 %");
});

test("counts have thousands separators, and scaled numbers have a prefix", () => {
  expect([0, 999, 1234567].map(count)).toEqual(["0", "999", "1,234,567"]);
  expect([0, 12, 999, 999.5, 1000, 999_999, 12_834_000, 5e15].map(scaled)).toEqual([
    "0",
    "12",
    "999",
    "1.00 k",
    "1.00 k",
    "1.00 M",
    "12.8 M",
    "5000 T",
  ]);
});

test("quotes a cell of a CSV file if necessary", () => {
  expect(["a b", "a,b", 'say "a"', "a\nb", ""].map(csvCell)).toEqual(["a b", '"a,b"', '"say ""a"""', '"a\nb"', ""]);
});
