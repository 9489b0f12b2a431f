import type { Backend } from "../../src/backends/backend.ts";
import type { OpCase } from "../ops/cases.ts";
import { check, judgeCase, runJudged, seed } from "../ops/parity.ts";

/**
 * Runs a case of ops on a backend.
 * @returns the largest error of each output as a fraction of its bound
 * @throws Error if one is above 1
 */
export async function caseErrors(opCase: OpCase, backend: Backend): Promise<Record<string, number>> {
  const judged = await judgeCase(opCase, seed);
  const results = await runJudged(backend, judged);
  return Object.fromEntries(Object.entries(results).map(([output, values]) => [output, check(judged, output, values)]));
}
