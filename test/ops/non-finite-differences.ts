/*
 * Runs a case of test/ops/non-finite.ts on a backend.
 */
import type { Backend } from "../../src/backends/backend.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import type { NonFiniteCase } from "./non-finite.ts";

const isAlmost = (found: number, wanted: number) =>
  Object.is(found, wanted) || found === wanted || Math.abs(found - wanted) <= 2e-6 * Math.max(1, Math.abs(wanted));

/** Runs a case. @returns the differences from the expected results, in words */
export async function differencesOf(
  backend: Backend,
  { leaves, values, outputs, expected }: NonFiniteCase,
): Promise<string[]> {
  const session = backend.createSession();
  const executable = await session.compile(defineGraph(outputs));
  for (const [name, leaf] of Object.entries(leaves)) session.write(leaf, values[name]!);
  await executable.run(0, 1);
  const differences: string[] = [];
  for (const [output, wanted] of Object.entries(expected)) {
    const results = Array.from(await executable.read(output));
    const wrong = results.findIndex((found, index) => !isAlmost(found, wanted[index % wanted.length]!));
    if (wrong >= 0) differences.push(`${output}[${wrong}] is ${results[wrong]}, not ${wanted[wrong % wanted.length]}`);
  }
  session.dispose();
  return differences;
}
