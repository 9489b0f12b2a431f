import { describe, expect, test } from "vitest";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { bombs, fuzz, readMeasured, subjects } from "./fuzz.ts";
import { fileOf } from "./mutations.ts";

describe("damaged files cause a clear error or load correctly (`npm run test:soak` reads many more)", () => {
  test.each(subjects)("$name", async (subject) => {
    const report = await fuzz(subject, { count: 400, seed: 1 });
    expect(report.memoryShare).toBeLessThan(1);
    expect(report.reasons).toBeGreaterThan(2);
  });
});

test.each(Object.entries(bombs))(
  "a header of %s takes no more memory than four times its length",
  async (_, header) => {
    const bytes = fileOf(header, new Uint8Array());
    const { memoryShare } = await readMeasured(() => readSafetensors(bytes, "file"), bytes);
    expect(memoryShare).toBeLessThan(1);
  },
);
