import { describe, expect, test } from "vitest";
import { LeaseLostError } from "../../../src/cluster/fenced-log.ts";
import { messageBytes } from "../../../src/cluster/messages.ts";
import { ObjectBucket } from "../../../src/cluster/objects.ts";
import { nextInnerSteps } from "../../../src/cluster/training/adaptive.ts";
import { encodeChange } from "../../../src/cluster/training/encode.ts";
import { memberBytes, type StoredChange } from "../../../src/cluster/training/messages.ts";
import { CHANGES, memberSubject, roundSubject, VALUES } from "../../../src/cluster/training/names.ts";
import { openRuns, RunStore } from "../../../src/cluster/training/run-store.ts";
import { version } from "../../../src/version.ts";
import { Proxy } from "../proxy.ts";
import {
  commitsOf,
  coordinate,
  expectEachStep,
  expectReplay,
  holderOf,
  id,
  INNER_STEPS,
  layout,
  loseAll,
  newRun,
  opened,
  options,
  REPORT_MILLISECONDS,
  server,
  startLiar,
  startMember,
  undisturbedRun,
  warnings,
} from "./processes.ts";

describe("a run over NATS", () => {
  test("has the bits of the same workers in one process, and can be replayed", async () => {
    const run = await newRun(3);
    const workers = ["c", "a", "b"].map(id);
    for (const worker of workers) await startMember(run, worker);
    const { rounds, done } = await coordinate(run, { workers: 3, quorum: 3 });
    await done;
    const [wanted, values] = await undisturbedRun(workers);
    expect(rounds.map(({ record }) => record.digest)).toEqual(wanted);
    expect(rounds.at(-1)!.values).toEqual(values);
    const records = await commitsOf(run);
    expect(records).toEqual(rounds.map(({ record }) => record));
    expect(records[0]!.names).toEqual({ [id("a")]: "name of a", [id("b")]: "name of b", [id("c")]: "name of c" });
    await expectReplay(records, rounds.at(-1)!.values);
    const link = await server.current.connect();
    expect(await openRuns(link)).not.toContain(run);
    const objects = await (await ObjectBucket.open(link, VALUES)).names(`${run}.`);
    expect(objects.sort()).toEqual(["values", "velocity"].map((kind) => `${run}.${rounds.length}.${kind}.${id("0")}`));
    expect(await (await ObjectBucket.open(link, CHANGES)).names(`${run}.`)).toEqual([]);
    await link.close();
  });

  test("chooses the number of inner steps by the measured speed, and can be replayed", async () => {
    const run = await newRun(1);
    await startMember(run, id("a"));
    const { rounds, done } = await coordinate(run, { isAdaptive: true });
    await done;
    const records = await commitsOf(run);
    const { totalSteps } = options;
    const steps = records.map(({ innerSteps }) => innerSteps);
    expect(steps).toEqual([INNER_STEPS, ...records.slice(0, -1).map((record) => nextInnerSteps(record, totalSteps))]);
    expect(records.slice(0, 3).map(({ tasks }) => tasks[0]!.range.count)).toEqual(steps.slice(0, 3));
    await expectReplay(records, rounds.at(-1)!.values);
  });

  test("gives out the steps of a lost worker again, and takes a new one", async () => {
    const run = await newRun(2);
    const leaving = await startMember(run, id("a"), (rounds) => {
      if (rounds === 3) leaving.abort();
      if (rounds === 3) void startMember(run, id("c"));
    });
    await startMember(run, id("b"));
    const { rounds, done } = await coordinate(run, { workers: 2 });
    await done;
    const records = rounds.map(({ record }) => record);
    expectEachStep(records);
    const workers = new Set(records.flatMap(({ participants }) => participants.map(({ worker }) => worker[0])));
    expect([...workers].sort()).toEqual(["a", "b", "c"]);
    await expectReplay(records, rounds.at(-1)!.values);
  });

  test("goes on without a worker whose network is cut, and takes it back", async () => {
    const run = await newRun(2);
    const proxy = await Proxy.start(server.current.port);
    const cut = (round: number) => {
      if (round === 2) proxy.cut();
      if (round === 2) setTimeout(() => proxy.restore(), 15 * REPORT_MILLISECONDS);
    };
    await startMember(run, id("a"), cut, proxy.address);
    await startMember(run, id("b"));
    // With this quorum, the round after the cut waits until the worker counts as lost, and the next one for its return.
    const { rounds, done } = await coordinate(run, { workers: 2, quorum: 2 });
    await done;
    proxy.close();
    const records = rounds.map(({ record }) => record);
    expectEachStep(records);
    const missing = records.filter((record) => Object.hasOwn(record.missing, id("a")));
    expect(missing.map((record) => record.missing[id("a")])).toContainEqual({
      name: "name of a",
      kind: "lost",
      reason: null,
    });
    const used = records.filter(({ participants }) => participants.some(({ worker }) => worker === id("a")));
    expect(used.at(-1)!.round).toBeGreaterThan(missing.at(-1)!.round);
    await expectReplay(records, rounds.at(-1)!.values);
  });

  test("uses each step once although two processes have the same id", async () => {
    const run = await newRun(2);
    // One of them leaves, and its twin goes on.
    const leaving = await startMember(run, id("a"), (round) => round === 3 && leaving.abort());
    for (const worker of ["a", "b"]) await startMember(run, id(worker));
    const { rounds, done } = await coordinate(run, { workers: 2, quorum: 2 });
    await done;
    const records = rounds.map(({ record }) => record);
    expectEachStep(records);
    expect(records.map(({ digest }) => digest)).toEqual((await undisturbedRun(["a", "b"].map(id)))[0]);
    await expectReplay(records, rounds.at(-1)!.values);
  });

  test("goes on from the last commit if its coordinator is lost, and two never both commit", async () => {
    const run = await newRun(2);
    const first = await coordinate(run, {
      workers: 2,
      committed: ({ record }) => {
        // Its connection ends at once, without giving back the lease.
        if (record.round === 4) void opened.find(({ stop }) => stop === first.stop)!.link.connection.close();
      },
    });
    await expect.poll(() => holderOf(run)).toBe(id("0"));
    const second = await coordinate(run, { owner: id("1") });
    await expect.poll(() => second.lines).toHaveLength(1);
    for (const worker of ["a", "b"]) await startMember(run, id(worker));
    await second.done;
    first.stop.abort();
    expect(second.lines[0]).toMatch(/^Another process coordinates this run/);
    expect(second.lines[1]).toMatch(/^Coordinating from round \d+ on/);
    const records = await commitsOf(run);
    expectEachStep(records);
    expect(new Set(records.map(({ coordinator }) => coordinator[0]))).toEqual(new Set(["0", "1"]));
    await expectReplay(records, second.rounds.at(-1)!.values);
  });

  test("continues after it was stopped, and says at once that it is finished", async () => {
    const run = await newRun(1);
    await startMember(run, id("a"));
    const first = await coordinate(run, { committed: ({ record }) => record.round === 3 && first.stop.abort() });
    await first.done;
    expect(first.rounds).toHaveLength(4);
    const second = await coordinate(run);
    await second.done;
    expectEachStep(await commitsOf(run));
    const third = await coordinate(run);
    await third.done;
    expect(third.rounds.map(({ record }) => record.steps)).toEqual([120]);
    expect(third.rounds[0]!.values).toEqual(second.rounds.at(-1)!.values);
  });

  // States of optimizers are stored after every third round: before the first one, after one, and with a round to repeat.
  test("has the bits of an undisturbed run although coordinator and workers were lost three times", async () => {
    const run = await newRun(2);
    const [wanted, undisturbed] = await undisturbedRun(["a", "b"].map(id));
    // The new processes are the same workers, whatever their ids.
    const stops = [
      [["b", "a"], 1],
      [["1", "f"], 2],
      [["0", "e"], 6],
      [["d", "2"], Infinity],
    ] as const;
    for (const [processes, stop] of stops) {
      for (const worker of processes) await startMember(run, id(worker));
      const coordination = await coordinate(run, {
        workers: 2,
        quorum: 2,
        committed: ({ record }) => record.round === stop && void loseAll(),
      });
      await coordination.done.catch(() => {});
      if (stop < Infinity) await loseAll();
    }
    const records = await commitsOf(run);
    expect(records.map(({ digest }) => digest)).toEqual(wanted);
    expect(records.at(-1)!.participants.map(({ worker }) => worker[0])).toEqual(["a", "b"]);
    await expectReplay(records, undisturbed);
  });

  test("goes on with a new optimizer if the stored state of a worker is damaged", async () => {
    const run = await newRun(1);
    await startMember(run, id("a"));
    const first = await coordinate(run, { committed: ({ record }) => record.round === 3 && void loseAll() });
    await first.done.catch(() => {});
    await loseAll();
    const link = await server.current.connect();
    const { states } = (await commitsOf(run)).findLast((record) => Object.hasOwn(record.states, id("a")))!;
    const { object, bytes } = states[id("a")]!;
    await (await ObjectBucket.open(link, CHANGES)).put(object, new Uint8Array(bytes));
    await link.close();
    await startMember(run, id("b"));
    const second = await coordinate(run);
    await second.done;
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^The optimizer begins anew, because .* cannot be used: object .*: its digest is/);
    const records = await commitsOf(run);
    expectEachStep(records);
    expect(records.find(({ members }) => members[id("a")] === id("b"))!.participants[0]!.ownStep).toBe(0);
    await expectReplay(records, second.rounds.at(-1)!.values);
  });

  test("ends with an error if the server has lost the values after the last round", async () => {
    const run = await newRun(1);
    await startMember(run, id("a"));
    const first = await coordinate(run, { committed: ({ record }) => record.round === 3 && first.stop.abort() });
    await first.done;
    const { object } = (await commitsOf(run)).at(-1)!.values;
    const link = await server.current.connect();
    await (await ObjectBucket.open(link, VALUES)).remove(object);
    await link.close();
    const second = await coordinate(run);
    await expect(second.done).rejects.toThrow(
      `run ${run}: it cannot continue, because the values after round 4 are lost (object ${object}: the server does not ` +
        "have it). Restore the files of the server from a backup, or start another run, for example with another seed.",
    );
  });

  test("survives the end and the return of the server", async () => {
    const run = await newRun(2);
    for (const worker of ["a", "b"]) await startMember(run, id(worker));
    const { rounds, done } = await coordinate(run, { workers: 2 });
    await expect.poll(() => rounds.length).toBeGreaterThan(1);
    await server.current.kill();
    await server.current.start();
    await done;
    const records = await commitsOf(run);
    expectEachStep(records);
    await expectReplay(records, rounds.at(-1)!.values);
  });
});

test("the log refuses the record of a coordinator that was replaced without noticing", async () => {
  const run = await newRun(1);
  await startMember(run, id("a"));
  const { rounds, done } = await coordinate(run);
  const [link, other] = [await server.current.connect(), await server.current.connect()];
  const frozen = await RunStore.open(link, run);
  await frozen.commits();
  await done;
  const { signal } = new AbortController();
  await expect(frozen.append({ ...rounds[0]!.record, coordinator: id("2") }, signal)).rejects.toThrow(LeaseLostError);
  expect(await commitsOf(run)).toEqual(rounds.map(({ record }) => record));
  for (const each of [link, other]) await each.close();
});

describe("hostile messages", () => {
  /** A worker that says it has done its first task, with what `changeOf` makes of a change. */
  async function startCheat(
    run: string,
    member: string,
    changeOf: (stored: StoredChange, store: RunStore) => Promise<StoredChange>,
  ): Promise<void> {
    let isDone = false;
    await startLiar(run, member, async ({ round, tasks }, store) => {
      const task = tasks.find(({ worker }) => worker === member);
      if (!task || isDone) return {};
      isDone = true;
      const { type, exponent, bytes } = encodeChange(new Float32Array(layout.size), "float16");
      const object = await store.putBytes("change", { round, owner: member }, bytes);
      const made = { ownStep: 0, examples: 70, loss: 1, trainMilliseconds: 1 };
      return { change: await changeOf({ round, task, type, exponent, object, state: null, ...made }, store) };
    });
  }

  test.each<[string, (stored: StoredChange, store: RunStore) => Promise<StoredChange>, RegExp]>([
    [
      "a change that is not finite",
      async (stored, store) => {
        const bytes = new Uint8Array(Uint16Array.from({ length: layout.size }, () => 0x7e00).buffer);
        return { ...stored, object: await store.putBytes("change", { round: stored.round, owner: id("f") }, bytes) };
      },
      /^Worker liar is not used any more: worker liar: value 0 is NaN/,
    ],
    [
      "a change of another size",
      async (stored, store) => ({
        ...stored,
        object: await store.putBytes("change", { round: stored.round, owner: id("f") }, new Uint8Array(6)),
      }),
      /^Worker liar is not used any more: worker liar: 6 bytes for \d+ float16 values/,
    ],
    [
      "a change with another digest",
      async (stored) => ({ ...stored, object: { ...stored.object, digest: "0".repeat(64) } }),
      /^Worker liar is not used any more: object .*: its digest is [0-9a-f]{64}, not 0{64}/,
    ],
    [
      "a change that does not exist",
      async (stored) => ({ ...stored, object: { ...stored.object, object: "none" } }),
      /^Worker liar is not used any more: object none: the server does not have it/,
    ],
  ])("%s: the worker is named and not used any more", async (_name, changeOf, message) => {
    const run = await newRun(2);
    await startMember(run, id("a"));
    await startCheat(run, id("f"), changeOf);
    const { rounds, lines, done } = await coordinate(run, { workers: 2 });
    await done;
    const records = rounds.map(({ record }) => record);
    expect(lines.filter((line) => message.test(line))).toHaveLength(1);
    expect(records.flatMap(({ participants }) => participants.map(({ worker }) => worker[0]))).not.toContain("f");
    expectEachStep(records);
    await expectReplay(records, rounds.at(-1)!.values);
  });

  test("reports and rounds that are invalid change nothing", async () => {
    const run = await newRun(1);
    const link = await server.current.connect();
    const hostile = [
      new Uint8Array([0xff, 0xfe]),
      messageBytes({}),
      messageBytes({ format: 1, member: "x", name: "x", version, change: null, failure: null }),
      messageBytes({ format: 1, member: id("f"), name: "a\u0007b", version, change: null, failure: null }),
      messageBytes({ format: 1, member: id("f"), name: "x", version, change: { round: -1 }, failure: null }),
      messageBytes({ format: 1, round: 0, values: {}, tasks: [], isFinished: true }),
      new Uint8Array(100_000),
    ];
    const flood = setInterval(() => {
      for (const bytes of hostile)
        for (const subject of [memberSubject(run), roundSubject(run)]) link.connection.publish(subject, bytes);
    }, 30);
    await startMember(run, id("a"));
    const { rounds, lines, done } = await coordinate(run);
    await done;
    clearInterval(flood);
    expectEachStep(rounds.map(({ record }) => record));
    expect(lines.filter((line) => line.startsWith("An invalid report of a worker was ignored"))).toHaveLength(1);
    await link.close();
  });

  test("a worker of another version gets no tasks, and is named", async () => {
    const run = await newRun(1);
    const link = await server.current.connect();
    const report = memberBytes({ member: id("f"), name: "old", version: "0.0.1", change: null, failure: null });
    const reports = setInterval(() => link.connection.publish(memberSubject(run), report), REPORT_MILLISECONDS);
    const { rounds, lines, done } = await coordinate(run);
    await expect.poll(() => lines).toContain(`Worker old has wgrad 0.0.1, not ${version}, and gets no tasks.`);
    await startMember(run, id("a"));
    await done;
    clearInterval(reports);
    expect(new Set(rounds.flatMap(({ record }) => record.tasks.map(({ worker }) => worker[0])))).toEqual(
      new Set(["a"]),
    );
    await link.close();
  });
});
