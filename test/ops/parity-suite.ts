import { afterAll, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { withFloat16 } from "../gpu.ts";
import { allCases } from "./all-cases.ts";
import type { OpCase } from "./cases.ts";
import { check, ErrorTable, judgeCase, runJudged, seed } from "./parity.ts";

/** Compares cases on a backend with the reference, and prints the seed and all errors at the end. */
export function parityTests(acquire: () => Promise<Backend>, cases: readonly OpCase[] = allCases): void {
  const table = new ErrorTable();
  let backend: Promise<Backend> | undefined;

  test.each(cases)("$name", async (opCase) => {
    backend ??= acquire();
    const judged = await judgeCase(opCase, seed);
    const used = await backend;
    const body = async () => {
      const results = await runJudged(used, judged);
      for (const [output, values] of Object.entries(results)) {
        let fraction = Infinity;
        expect(() => (fraction = check(judged, output, values)), `WGRAD_SEED=${seed} repeats this`).not.toThrow();
        table.record(opCase, output, fraction);
      }
    };
    await (opCase.name.includes("float16") ? withFloat16(used, body) : body());
  });

  afterAll(async () => {
    const used = await backend;
    if (!used) return;
    if (cases === allCases) console.log(`${used.adapter.name}, WGRAD_SEED=${seed}\n${table}`);
    used.dispose();
  });
}
