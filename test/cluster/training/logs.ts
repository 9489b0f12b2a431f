import { expect } from "vitest";
import type { CommitRecord } from "../../../src/cluster/training/messages.ts";
import { RunStore } from "../../../src/cluster/training/run-store.ts";
import type { NatsServer } from "../nats-server.ts";

/** The log of a run. */
export async function logOf(server: NatsServer, run: string): Promise<readonly CommitRecord[]> {
  const link = await server.connect();
  const records = await (await RunStore.open(link, run)).commits();
  await link.close();
  return records;
}

/** The name of the run in the output of `wgrad train`. */
export const runIn = (output: string): string => /^run +([0-9a-f]{12}): /m.exec(output)![1]!;

/** Expects that a log has each step of a run exactly once. */
export function expectEachStepOnce(records: readonly CommitRecord[], totalSteps: number): void {
  const steps = records.flatMap(({ participants }) =>
    participants.flatMap(({ range: { first, count } }) => Array.from({ length: count }, (_, at) => first + at)),
  );
  steps.sort((a, b) => a - b);
  expect(steps).toEqual(Array.from({ length: totalSteps }, (_, step) => step));
}
