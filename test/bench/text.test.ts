import { describe, expect, test } from "vitest";
import { comparison, compareReports, readReport } from "../../src/bench/compare.ts";
import type { BenchmarkEvent } from "../../src/bench/report.ts";
import { broken, bytesText, rateText, shareText, timeText } from "../../src/bench/table.ts";
import { ReportLines } from "../../src/bench/text.ts";
import { DataError } from "../../src/errors.ts";
import { growthRow, kernelRow, reportOf, stepRow } from "./reports.ts";

const longest = (lines: readonly string[]) => Math.max(...lines.map(({ length }) => length));

const longName = "multiply + softmaxCrossEntropyGradientOfSomething + anotherOperationWithAnUnreasonablyLongName";
const extreme = {
  ...kernelRow(longName, 1e5),
  shapes: "[123456, 123456, 123456] → [1234567890123456789012345]",
  flopsPerSecond: 987e12,
  shareOfCeiling: 1234.5,
  seconds: { median: 1e-7, lowerQuartile: 0, upperQuartile: 1, samples: 3 },
};
const events: BenchmarkEvent[] = [
  { kind: "beginning", report: reportOf() },
  { kind: "kernel", row: kernelRow("matmul 64x784x128", 1e-3) },
  { kind: "kernel", row: extreme },
  { kind: "step", row: stepRow("step a", 2.5e-3, [kernelRow(longName, 1e-3), extreme]) },
  { kind: "step", row: { ...stepRow("step b", 2.5e-3, []), encoding: null } },
  { kind: "growth", row: growthRow("batch", 8192, 1.5) },
  {
    kind: "growth",
    row: { ...growthRow("depth", 16, 15), network: "784-(16×128)-10", imagesPerSecond: 9_999_999, gpuBytes: 3e10 },
  },
  { kind: "growth", row: { ...growthRow("text-width", 512, 1.5), tokensPerSecond: 9_999_999, slope: -1.234 } },
  {
    kind: "leftOut",
    left: {
      name: "growth width 4096",
      why: "784-4096-10 at batch size 64 would take about 42 s, more than the limit of 20 s, which is rather long",
    },
  },
  {
    kind: "wrong",
    left: {
      name: "adam 100000",
      why: "adam 100000, weights: element 99999 is 0, but 0.123456789 on the CPU: they differ by 0.123, and 1e-7 is allowed",
    },
  },
];

describe("the report as text", () => {
  const report = new ReportLines();
  const lines = events.flatMap((event) => report.of(event));

  test("fits into 100 columns for all results", () => {
    expect(longest(lines)).toBeLessThanOrEqual(100);
  });

  test("names the software adapter, the date, the versions and the ceilings", () => {
    const text = lines.join("\n");
    for (const part of [
      "a software adapter, which computes on the CPU",
      "2025-11-22 10:00 UTC",
      "wgrad       0.1.0",
      "webgpu 0.6.2",
      "70.0 GFLOP/s",
      "5.00 GB/s",
    ]) {
      expect(text).toContain(part);
    }
  });

  test("has a row for each kernel under one heading, and lists what was not timed", () => {
    expect(lines.filter((line) => line.startsWith("kernel  "))).toHaveLength(2);
    const row = lines.find((line) => line.startsWith("matmul 64x784x128"));
    expect(row).toMatch(/^matmul 64x784x128 +\[64, 784\] .* 1\.00 ms +10% +12\.5 GFLOP\/s +25 % +arithmetic$/);
    expect(lines.join("\n")).toMatch(/skipped: growth width 4096/);
    expect(lines.join("\n")).toMatch(/WRONG, not timed: adam 100000/);
    expect(lines.join("\n")).toMatch(/kernels +not timed/);
  });

  test("has a table for a GPT, with tokens per second and slopes", () => {
    expect(lines).toContain(
      "                  tokens/s    memory  slope      time      ±          rate  ceil.  bound by",
    );
    expect(lines.find((line) => line.startsWith("text-width 512"))).toMatch(
      /^text-width 512 +9,999,999 .* -1\.23 +1\.50 s/,
    );
  });

  test.each([
    [timeText(1.234e-8), "0.01 µs"],
    [timeText(9.996e-6), "10.0 µs"],
    [timeText(999.6e-6), "1.00 ms"],
    [timeText(0.0423), "42.3 ms"],
    [timeText(0.9996), "1.00 s"],
    [timeText(123.4), "123 s"],
    [rateText(4.56e9, "FLOP"), "4.56 GFLOP/s"],
    [rateText(1.2e7, "B"), "12.0 MB/s"],
    [rateText(6.7e13, "FLOP"), "67.0 TFLOP/s"],
    [shareText(0.034), "3.4 %"],
    [shareText(1.37), "137 %"],
    [bytesText(47 * 2 ** 20), "47.0 MiB"],
  ])("writes %s", (text, expected) => {
    expect(text).toBe(expected);
  });

  test("breaks lines at spaces, and words only if they are longer than a line", () => {
    expect(broken("one two three", 7)).toEqual(["one two", "three"]);
    expect(broken("abcdefghij k", 4)).toEqual(["abcd", "efgh", "ij k"]);
    expect(broken("", 4)).toEqual([""]);
  });
});

describe("a comparison with an earlier report", () => {
  const before = reportOf({
    kernels: [kernelRow("a", 1), kernelRow("b", 1), kernelRow("c", 1), kernelRow("gone", 1)],
    growth: [growthRow("batch", 1, 1)],
  });
  const now = reportOf({
    kernels: [kernelRow("a", 2), kernelRow("b", 1.05), { ...kernelRow("c", 5), clock: "wall clock" }],
    steps: [stepRow("s", 1, [kernelRow("s, 1 matmul", 1)])],
    growth: [growthRow("batch", 1, 0.25)],
  });

  test("marks changes beyond the spread, for times with the same clock", () => {
    const changes = compareReports(before, now).map(({ name, change }) => `${name} ${change}`);
    expect(changes).toEqual(["a slower", "b same", "growth batch 1 faster"]);
  });

  test("is printed as a table and a summary", () => {
    const lines = comparison("old.json", before, now);
    expect(longest(lines)).toBeLessThanOrEqual(100);
    expect(lines.join("\n")).toMatch(/^a +1\.00 s +2\.00 s +2\.00× slower$/m);
    expect(lines.join("\n")).toMatch(/^growth batch 1 +1\.00 s +250 ms +4\.00× faster$/m);
    expect(lines.at(-1)).toBe(
      "1 slower, 1 faster, 1 within the spread; 4 only in one report, or with different clocks",
    );
  });

  test("reports a different adapter", () => {
    const other = reportOf({ environment: { ...before.environment, adapter: { name: "a GPU", software: false } } });
    expect(comparison("old.json", before, other).join("\n")).toMatch(
      /adapter differs: before\n {2}llvmpipe .*\nnow\n {2}a GPU/,
    );
  });

  test.each(["", "no JSON", "null", "[]", '{"format": 2}', '{"format": 1, "environment": {}, "kernels": []}'])(
    "refuses a file with %j",
    (text) => {
      expect(() => readReport(text, "old.json")).toThrow(DataError);
      expect(() => readReport(text, "old.json")).toThrow(/^old\.json: this is not a report/);
    },
  );

  test("reads a written report", () => {
    expect(readReport(JSON.stringify(now), "new.json")).toEqual(now);
  });
});
