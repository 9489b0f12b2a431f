import { afterAll, expect, test } from "vitest";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { bombs, fuzz, readMeasured, subjects, type FuzzReport } from "../formats/fuzz.ts";
import { fileOf } from "../formats/mutations.ts";

/** The number of files per reader: more than 10,000 for the safetensors readers together. */
const FILES = 8000;

const seed = Date.now() % 2 ** 32;
const reports: (FuzzReport & { reader: string })[] = [];

test.each(subjects)(`${FILES} mutated files of $name, seed ${seed}`, async (subject) => {
  const report = await fuzz(subject, { count: FILES, seed });
  reports.push({ reader: subject.name, ...report });
  expect(report.slowestMilliseconds).toBeLessThan(1000);
  expect(report.memoryShare).toBeLessThan(1);
});

test.each(Object.entries(bombs))("a header of %s", async (_, header) => {
  const bytes = fileOf(header, new Uint8Array());
  const { memoryShare, milliseconds } = await readMeasured(() => readSafetensors(bytes, "file"), bytes);
  expect(memoryShare).toBeLessThan(1);
  expect(milliseconds).toBeLessThan(1000);
});

afterAll(() => console.table(reports));
