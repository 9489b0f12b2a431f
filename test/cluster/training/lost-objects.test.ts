import { describe, expect, test } from "vitest";
import { LeaseLostError } from "../../../src/cluster/fenced-log.ts";
import { ObjectBucket, type ObjectReference } from "../../../src/cluster/objects.ts";
import { HeldObjects } from "../../../src/cluster/training/held-objects.ts";
import { memberSubject, LEASES, objectBucket, roundSubject, VALUES } from "../../../src/cluster/training/names.ts";
import { readMember, roundBytes, type MemberMessage } from "../../../src/cluster/training/messages.ts";
import { RunStore, vectorBytes } from "../../../src/cluster/training/run-store.ts";
import { isSameTask } from "../../../src/cluster/training/rounds.ts";
import {
  commitsOf,
  coordinate,
  expectEachStep,
  expectReplay,
  holderOf,
  id,
  layout,
  loseAll,
  newRun,
  server,
  startLiar,
  startMember,
  undisturbedRun,
  warnings,
} from "./processes.ts";

/** How a server has lost an object. */
type Loss = "removed" | "without its parts" | "replaced";

/** Makes the server lose an object. */
async function lose({ object, bytes }: ObjectReference, how: Loss = "removed"): Promise<void> {
  const link = await server.current.connect();
  const name = objectBucket(object);
  const bucket = await ObjectBucket.open(link, name);
  if (how === "removed") await bucket.remove(object);
  else if (how === "replaced") await bucket.put(object, new Uint8Array(bytes));
  else {
    const { nuid } = (await (await new link.packages.obj.Objm(link.streams).open(name)).info(object))!;
    await link.manager.streams.purge(`OBJ_${name}`, { filter: `$O.${name}.C.${nuid}` });
  }
  await link.close();
}

/** Whether the server has all of an object. */
async function isThere(reference: ObjectReference): Promise<boolean> {
  const link = await server.current.connect();
  const bucket = await ObjectBucket.open(link, objectBucket(reference.object));
  const found = await bucket.get(reference).catch(() => undefined);
  await link.close();
  return found !== undefined;
}

const storedAgain = (lines: readonly string[]) => lines.filter((line) => line.includes("is stored again"));

const refusals = (lines: readonly string[]) => lines.filter((line) => line.includes("is not used any more"));

describe("a coordinator", () => {
  test.each<[Loss, string]>([
    ["removed", "the server does not have it"],
    ["without its parts", "the server has lost parts of it: it has 0 of 1"],
    ["replaced", "its digest is"],
  ])("stores values again that are %s, and the run has the same bits", async (how, reason) => {
    const run = await newRun(2);
    const workers = ["a", "b"].map(id);
    for (const worker of workers) await startMember(run, worker);
    let wasRestored = false;
    const { rounds, lines, done } = await coordinate(run, {
      workers: 2,
      quorum: 2,
      committed: async ({ record }) => {
        if (record.round === 2) for (const each of [record.values, record.velocity]) await lose(each, how);
        // The next coordinator would need both.
        if (record.round !== 3) return;
        const { values, velocity } = rounds[2]!.record;
        wasRestored = (await isThere(values)) && (await isThere(velocity));
      },
    });
    await done;
    expect(wasRestored).toBe(true);
    const { values, velocity } = rounds[2]!.record;
    const start = "An object of round 4 is stored again, because it cannot be read (object";
    const wanted = [values, velocity].map(({ object }) => expect.stringContaining(`${start} ${object}: ${reason}`));
    expect(storedAgain(lines)).toEqual(wanted);
    expect(refusals(lines)).toEqual([]);
    expect(rounds.map(({ record }) => record.digest)).toEqual((await undisturbedRun(workers))[0]);
    expect(await commitsOf(run)).toEqual(rounds.map(({ record }) => record));
  });

  test("ends with an error if the server loses the values again and again", async () => {
    const run = await newRun(1);
    const stored: boolean[] = [];
    await startLiar(run, id("f"), async ({ round, values, checks }) => {
      if (stored.length === checks) {
        stored.push(await isThere(values));
        await lose(values);
      }
      return { failure: { round, reason: "lost", checks } };
    });
    const { lines, done } = await coordinate(run);
    await expect(done).rejects.toThrow(
      /^run \w+: it cannot continue, because the values after round 0 are lost \(object/,
    );
    expect(storedAgain(lines)).toHaveLength(3);
    expect(stored).toEqual([true, true, true, true]);
  });

  test("stores nothing again for a worker that wrongly says values are lost, and refuses it", async () => {
    const run = await newRun(2);
    const checked = new Set<number>();
    await startLiar(run, id("f"), async ({ round, checks }) => {
      checked.add(checks);
      return Promise.resolve({ failure: { round, reason: "object none: lost.", checks } });
    });
    await startMember(run, id("a"));
    const { lines, done, rounds } = await coordinate(run, { workers: 2 });
    await done;
    expect([...checked].sort()).toEqual([0, 1]);
    expect(refusals(lines)).toEqual(["Worker liar is not used any more: object none: lost."]);
    expect(storedAgain(lines)).toEqual([]);
    expect(rounds[0]!.record.missing[id("f")]).toMatchObject({ kind: "refused", reason: "object none: lost." });
    await expectReplay(await commitsOf(run), rounds.at(-1)!.values);
  });

  test("stores the histories again that a new process needs", async () => {
    const run = await newRun(1);
    await startMember(run, id("a"));
    const first = await coordinate(run, { committed: ({ record }) => record.round === 1 && void loseAll() });
    await first.done.catch(() => {});
    await loseAll();
    let found: Uint8Array | undefined;
    await startLiar(run, id("b"), async ({ round, histories, checks }, store) => {
      if (checks === 0) await lose(histories!);
      else found ??= await store.get(histories!);
      return checks === 0 ? { failure: { round, reason: "lost", checks } } : {};
    });
    const second = await coordinate(run);
    await expect.poll(() => found).toBeDefined();
    expect(new TextDecoder().decode(found)).toContain(`"workers":{"${id("a")}":`);
    expect(storedAgain(second.lines)).toHaveLength(1);
  });

  test("goes on with what it has in memory after it has lost its lease", async () => {
    const run = await newRun(1);
    const leaving = await startMember(run, id("a"));
    const { rounds, lines, done } = await coordinate(run, {
      committed: async ({ record }) => {
        if (record.round !== 2) return;
        // Without a worker, there is no other round before the coordinator notices that it has lost the lease.
        leaving.abort();
        await lose(record.velocity);
        const link = await server.current.connect();
        await (await new link.packages.kv.Kvm(link.streams).open(LEASES)).delete(run);
        await link.close();
      },
    });
    await expect.poll(() => lines).toContain("Another process has taken over the coordination of this run.");
    await startMember(run, id("b"));
    await done;
    const records = await commitsOf(run);
    expect(records).toEqual(rounds.map(({ record }) => record));
    // It has stored the velocity again, for the next one.
    expect(storedAgain(lines)).toEqual([expect.stringContaining(`(object ${records[2]!.velocity.object}: the server`)]);
    expectEachStep(records);
    await expectReplay(records, rounds.at(-1)!.values);
  });

  test("waits although values are lost while another process coordinates, which stores them again", async () => {
    const run = await newRun(1);
    await startMember(run, id("a"));
    const standbys: Awaited<ReturnType<typeof coordinate>>[] = [];
    const first = await coordinate(run, {
      committed: async ({ record }) => {
        if (record.round !== 2) return;
        await lose(record.values);
        expect(await holderOf(run)).toBe(id("0"));
        const standby = await coordinate(run, { owner: id("1") });
        standbys.push(standby);
        await expect.poll(() => standby.lines).toHaveLength(1);
      },
    });
    await first.done;
    const [standby] = standbys;
    await standby!.done;
    expect(standby!.lines[0]).toMatch(/^Another process coordinates this run/);
    expect(standby!.rounds.at(-1)!.values).toEqual(first.rounds.at(-1)!.values);
    expect(storedAgain(first.lines)).toHaveLength(1);
  });
});

test("nothing is stored again if another process has committed a round since", async () => {
  const run = await newRun(1);
  await startMember(run, id("a"));
  const link = await server.current.connect();
  const store = await RunStore.open(link, run);
  const { signal } = new AbortController();
  const outcomes: unknown[] = [];
  const { done } = await coordinate(run, {
    committed: async ({ record, values }) => {
      if (record.round !== 2) return;
      await lose(record.values);
      const objects = [{ reference: record.values, bytes: vectorBytes(values) }];
      for (const round of [2, 3]) {
        const held = new HeldObjects({ link, store, run, round, objects, log: () => {} });
        outcomes.push(await held.repair(signal).catch((error: unknown) => error), await isThere(record.values));
      }
    },
  });
  await done;
  expect(outcomes).toEqual([expect.any(LeaseLostError), false, true, true]);
  await link.close();
});

test("a worker that cannot read the values waits until they were checked, and goes on", async () => {
  const run = await newRun(1);
  const link = await server.current.connect();
  const store = await RunStore.open(link, run);
  const said: MemberMessage[] = [];
  link.connection.subscribe(memberSubject(run), {
    callback: (_error, message) => {
      said.push(readMember(run, message.data));
    },
  });
  const task = { worker: id("a"), range: { first: 0, count: 7 }, scheduleStep: 0, scheduleStride: 1 };
  const initial = (await undisturbedRun([id("a")]))[1];
  const put = () => store.putVector("values", { round: 0, owner: id("0") }, initial);
  const values = await put();
  await lose(values);
  const tasks = { tasks: [task], lastRounds: {}, members: {}, stateOf: [], histories: null, isFinished: false };
  const tell = (checks: number) =>
    link.connection.publish(roundSubject(run), roundBytes({ round: 0, values, ...tasks, checks }));
  await startMember(run, id("a"));
  const reason = `object ${values.object}: the server does not have it.`;
  await expect.poll(() => (tell(0), said.at(-1)?.failure)).toEqual({ round: 0, reason, checks: 0 });
  await expect.poll(() => (tell(1), said.at(-1)?.failure)).toEqual({ round: 0, reason, checks: 1 });
  await put();
  // It does not read again before it hears of another check.
  const before = said.length;
  await expect.poll(() => (tell(1), said.length)).toBeGreaterThan(before + 5);
  expect(said.at(-1)).toMatchObject({ change: null, failure: { checks: 1 } });
  await expect.poll(() => (tell(2), said.at(-1)?.change)).toBeTruthy();
  const { change, failure } = said.at(-1)!;
  expect(failure).toBeNull();
  expect(isSameTask(change!.task, task)).toBe(true);
  expect((await store.get(change!.object)).length).toBe(2 * layout.size);
  expect(warnings).toEqual([]);
  expect((await (await ObjectBucket.open(link, VALUES)).names(`${run}.`)).length).toBe(1);
  await link.close();
});
