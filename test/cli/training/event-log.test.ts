import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EventLog } from "../../../src/cli/training/event-log.ts";
import { logFormatOf, logFormats, type LogEvent } from "../../../src/cli/training/log-format.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "wgrad-log-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const progress = (step: number, more: object = {}): LogEvent => ({
  event: "progress",
  step,
  epoch: 1,
  loss: 0.5,
  accuracy: NaN,
  learningRate: 1e-7,
  examplesPerSecond: 10.5,
  ...more,
});

const done: LogEvent = { event: "done", testR2: 0.75, testLoss: 0.25, steps: 4, why: "a, b", seconds: 1.5 };

const refuse = (line: string) => {
  throw new Error(line);
};

test("the format follows from the path, unless it is given", () => {
  expect(logFormatOf("run.csv", undefined)).toBe(logFormats.csv);
  expect(logFormatOf("RUN.CSV", undefined)).toBe(logFormats.csv);
  expect(logFormatOf("run.jsonl", undefined)).toBe(logFormats.jsonl);
  expect(logFormatOf("run.csv", "jsonl")).toBe(logFormats.jsonl);
  expect(logFormatOf("run", "csv")).toBe(logFormats.csv);
});

test("a CSV log has the same columns in every row, and empty cells for what an event does not have", async () => {
  const path = join(folder, "run.csv");
  writeFileSync(path, "of an earlier run\n");
  const log = new EventLog(path, logFormats.csv, refuse);
  await log.begin(0);
  log.write(progress(2));
  log.write(progress(4, { validationLoss: 0.125, gradientNorm: 3 }));
  log.write(done);
  log.close();
  const [header, ...rows] = readFileSync(path, "utf8").trimEnd().split("\n");
  const names = header!.split(",");
  const objects = rows.map((row) => {
    const cells = row.split(",");
    expect(cells).toHaveLength(names.length);
    return Object.fromEntries(names.map((name, index) => [name, cells[index]]).filter(([, cell]) => cell !== ""));
  });
  const shared = { event: "progress", epoch: "1", loss: "0.5", learningRate: "1e-7", examplesPerSecond: "10.5" };
  expect(objects).toEqual([
    { ...shared, step: "2" },
    { ...shared, step: "4", validationLoss: "0.125", gradientNorm: "3" },
    { event: "done", step: "4", testLoss: "0.25", r2: "0.75", seconds: "1.5" },
  ]);
});

describe.each(Object.entries(logFormats))("a resumed run's log in the format %s", (name, format) => {
  test("keeps the progress up to its step", async () => {
    const path = join(folder, `resumed.${name}`);
    const first = new EventLog(path, format, refuse);
    await first.begin(0);
    for (const step of [2, 4, 6]) first.write(progress(step));
    first.write({ event: "interrupted", step: 4 });
    first.close();
    // A process that was killed while it wrote a line.
    writeFileSync(path, readFileSync(path, "utf8") + format.lineOf(progress(3)).slice(0, -1));
    const again = new EventLog(path, format, refuse);
    await again.begin(4);
    again.write(progress(5));
    again.close();
    const lines = [2, 4, 5].map((step) => `${format.lineOf(progress(step))}\n`);
    expect(readFileSync(path, "utf8")).toBe(format.header + lines.join(""));
  });
});
