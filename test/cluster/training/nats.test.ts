import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import type { NatsLink } from "../../../src/cluster/connection.ts";
import { LeaseLostError } from "../../../src/cluster/fenced-log.ts";
import { messageBytes } from "../../../src/cluster/messages.ts";
import { Coordinator, type CoordinatedRound } from "../../../src/cluster/training/coordinator.ts";
import { encodeChange } from "../../../src/cluster/training/encode.ts";
import { flattened, layoutOf } from "../../../src/cluster/training/layout.ts";
import { TrainingMember } from "../../../src/cluster/training/member.ts";
import {
  memberBytes,
  readRound,
  type CommitRecord,
  type StoredChange,
} from "../../../src/cluster/training/messages.ts";
import { memberSubject, roundSubject } from "../../../src/cluster/training/names.ts";
import { RoundTrainer } from "../../../src/cluster/training/round-trainer.ts";
import type { SharedOptions } from "../../../src/cluster/training/rounds.ts";
import { loadRun, openRuns, RunStore, storeRun } from "../../../src/cluster/training/run-store.ts";
import { setUpTraining } from "../../../src/cluster/training/set-up.ts";
import { SharedRun } from "../../../src/cluster/training/together.ts";
import type { AnyModel } from "../../../src/nn/functional.ts";
import { createTrainer, type TrainerOptions } from "../../../src/train/index.ts";
import { version } from "../../../src/version.ts";
import { dropoutRun } from "../../train/examples.ts";
import { natsServer } from "../nats-server.ts";

const server = natsServer();

/** Short times, so that lost workers and coordinators are replaced soon. */
const REPORT_MILLISECONDS = 40;
const LEASE_MILLISECONDS = 600;

const INNER_STEPS = 7;
const outer = { learningRate: 1, momentum: 0.5 };

const trainerOptions = (): TrainerOptions<AnyModel> =>
  ({ ...dropoutRun, backend: createCpuBackend() }) as unknown as TrainerOptions<AnyModel>;
const layout = layoutOf(dropoutRun.model);
const options: SharedOptions = {
  innerSteps: INNER_STEPS,
  outer,
  changeType: "float16",
  totalSteps: 120,
};

const id = (letter: string) => letter.repeat(32);

let runs = 0;
const opened: { readonly stop: AbortController; readonly done: Promise<unknown>; readonly link: NatsLink }[] = [];

beforeAll(async () => {
  const link = await server.current.connect();
  await setUpTraining(link, { leaseMilliseconds: LEASE_MILLISECONDS });
  await link.close();
});

afterEach(async () => {
  for (const { stop, done, link } of opened.splice(0)) {
    stop.abort();
    await done;
    await link.close();
  }
});

/** Stores the description of another run. */
async function newRun(workers: number): Promise<string> {
  const link = await server.current.connect();
  const sharing = { workers, quorum: 1, innerSteps: INNER_STEPS, outer, changeType: "float16" } as const;
  const name = await storeRun(link, { version, configuration: { seed: ++runs }, data: [], sharing });
  expect(await loadRun(link, name)).toMatchObject({ sharing });
  await link.close();
  return name;
}

/** Starts a worker. */
async function startMember(
  run: string,
  worker: string,
  trained: (round: number) => void = () => {},
): Promise<AbortController> {
  const link = await server.current.connect("worker");
  const breaks = { every: 2, rest: () => new Promise<void>((resolve) => setImmediate(resolve)) };
  const inner = await createTrainer(trainerOptions());
  const trainer = new RoundTrainer({ worker, trainer: inner, layout, changeType: "float16", breaks });
  const stop = new AbortController();
  let rounds = 0;
  const member = new TrainingMember({
    link,
    run,
    layout,
    trainer,
    name: `name of ${worker[0]}`,
    version,
    signal: stop.signal,
    reportMilliseconds: REPORT_MILLISECONDS,
    trained: () => trained(++rounds),
  });
  opened.push({ stop, done: member.run(), link });
  return stop;
}

interface Coordination {
  readonly stop: AbortController;
  readonly rounds: CoordinatedRound[];
  readonly lines: string[];
  readonly done: Promise<void>;
}

/** Starts a coordinator. */
async function coordinate(
  run: string,
  { workers = 1, quorum = 1, owner = id("0"), committed = (_round: CoordinatedRound) => {} } = {},
): Promise<Coordination> {
  const link = await server.current.connect();
  const trainer = await createTrainer(trainerOptions());
  const initial = flattened(layout, (await trainer.snapshot()).parameters);
  trainer.dispose();
  const stop = new AbortController();
  const [rounds, lines]: [CoordinatedRound[], string[]] = [[], []];
  const coordinator = new Coordinator(
    { name: run, layout, options, sharing: { workers, quorum }, initial },
    {
      link,
      owner,
      version,
      signal: stop.signal,
      reportMilliseconds: REPORT_MILLISECONDS,
      log: (line) => lines.push(line),
    },
  );
  const done = (async () => {
    for await (const round of coordinator.rounds()) {
      rounds.push(round);
      committed(round);
    }
  })();
  done.catch(() => {});
  opened.push({ stop, done: done.catch(() => {}), link });
  return { stop, rounds, lines, done };
}

/** The steps of a log, in ascending order. */
const stepsOf = (records: readonly CommitRecord[]): number[] =>
  records
    .flatMap(({ participants }) =>
      participants.flatMap(({ range: { first, count } }) => Array.from({ length: count }, (_, at) => first + at)),
    )
    .sort((a, b) => a - b);

const everyStep = Array.from({ length: options.totalSteps }, (_, step) => step);

/** Expects that the replay of a log in one process gives its values. */
async function expectReplay(records: readonly CommitRecord[], values: Float32Array): Promise<void> {
  const shared = await SharedRun.create(trainerOptions(), { workers: [id("a")], innerSteps: INNER_STEPS, outer });
  for await (const { commit } of shared.replay(records)) expect(commit.round).toBeLessThan(records.length);
  expect(shared.state.values).toEqual(values);
  shared.dispose();
}

async function commitsOf(run: string): Promise<readonly CommitRecord[]> {
  const link = await server.current.connect();
  const records = await (await RunStore.open(link, run)).commits();
  await link.close();
  return records;
}

describe("a run over NATS", () => {
  test("has the bits of the same workers in one process, and can be replayed", async () => {
    const run = await newRun(3);
    const workers = ["c", "a", "b"].map(id);
    for (const worker of workers) await startMember(run, worker);
    const { rounds, done } = await coordinate(run, { workers: 3, quorum: 3 });
    await done;
    const shared = await SharedRun.create(trainerOptions(), { workers, innerSteps: INNER_STEPS, outer });
    const wanted: string[] = [];
    for await (const { commit } of shared.rounds()) wanted.push(commit.digest);
    expect(rounds.map(({ record }) => record.digest)).toEqual(wanted);
    expect(rounds.at(-1)!.values).toEqual(shared.state.values);
    shared.dispose();
    const records = await commitsOf(run);
    expect(records).toEqual(rounds.map(({ record }) => record));
    expect(records[0]!.names).toEqual({ [id("a")]: "name of a", [id("b")]: "name of b", [id("c")]: "name of c" });
    await expectReplay(records, rounds.at(-1)!.values);
    const link = await server.current.connect();
    expect(await openRuns(link)).not.toContain(run);
    await link.close();
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
    expect(stepsOf(records)).toEqual(everyStep);
    const workers = new Set(records.flatMap(({ participants }) => participants.map(({ worker }) => worker[0])));
    expect([...workers].sort()).toEqual(["a", "b", "c"]);
    await expectReplay(records, rounds.at(-1)!.values);
  });

  test("goes on from the last commit if its coordinator is lost, and two never both commit", async () => {
    const run = await newRun(2);
    for (const worker of ["a", "b"]) await startMember(run, id(worker));
    const first = await coordinate(run, {
      workers: 2,
      committed: ({ record }) => {
        // Its connection ends at once, without giving back the lease.
        if (record.round === 4) void opened.find(({ stop }) => stop === first.stop)!.link.connection.close();
      },
    });
    await expect.poll(() => first.rounds.length).toBeGreaterThan(0);
    const second = await coordinate(run, { owner: id("1") });
    await second.done;
    first.stop.abort();
    expect(second.lines[0]).toMatch(/^Another process coordinates this run/);
    expect(second.lines[1]).toMatch(/^Coordinating from round \d+ on/);
    const records = await commitsOf(run);
    expect(stepsOf(records)).toEqual(everyStep);
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
    expect(stepsOf(await commitsOf(run))).toEqual(everyStep);
    const third = await coordinate(run);
    await third.done;
    expect(third.rounds.map(({ record }) => record.steps)).toEqual([120]);
    expect(third.rounds[0]!.values).toEqual(second.rounds.at(-1)!.values);
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
    expect(stepsOf(records)).toEqual(everyStep);
    await expectReplay(records, rounds.at(-1)!.values);
  }, 30_000);
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
  /** Sends reports of a worker that does what `change` makes of the task that it gets. */
  async function startLiar(
    run: string,
    member: string,
    changeOf: (stored: StoredChange, store: RunStore) => Promise<StoredChange>,
  ): Promise<void> {
    const link = await server.current.connect("worker");
    const store = await RunStore.open(link, run);
    let change: StoredChange | null = null;
    let isBusy = false;
    link.connection.subscribe(roundSubject(run), {
      callback: (_error, message) => {
        const { round, tasks, isFinished } = readRound(run, message.data);
        const task = tasks.find(({ worker }) => worker === member);
        if (isFinished || !task || isBusy) return;
        isBusy = true;
        void (async () => {
          const { type, exponent, bytes } = encodeChange(new Float32Array(layout.size), "float16");
          const object = await store.putChange(round, member, bytes);
          change = await changeOf({ round, task, ownStep: 0, examples: 70, loss: 1, type, exponent, object }, store);
        })();
      },
    });
    const reports = setInterval(
      () =>
        link.connection.publish(
          memberSubject(run),
          memberBytes({ member, name: "liar", version, change, failure: null }),
        ),
      REPORT_MILLISECONDS,
    );
    const stop = new AbortController();
    stop.signal.addEventListener("abort", () => clearInterval(reports));
    opened.push({ stop, done: Promise.resolve(), link });
  }

  test.each<[string, (stored: StoredChange, store: RunStore) => Promise<StoredChange>, RegExp]>([
    [
      "a change that is not finite",
      async (stored, store) => {
        const bytes = new Uint8Array(Uint16Array.from({ length: layout.size }, () => 0x7e00).buffer);
        return { ...stored, object: await store.putChange(stored.round, id("f"), bytes) };
      },
      /^Worker liar is not used any more: worker liar: value 0 is NaN/,
    ],
    [
      "a change of another size",
      async (stored, store) => ({ ...stored, object: await store.putChange(stored.round, id("f"), new Uint8Array(6)) }),
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
    await startLiar(run, id("f"), changeOf);
    const { rounds, lines, done } = await coordinate(run, { workers: 2 });
    await done;
    const records = rounds.map(({ record }) => record);
    expect(lines.filter((line) => message.test(line))).toHaveLength(1);
    expect(records.flatMap(({ participants }) => participants.map(({ worker }) => worker[0]))).not.toContain("f");
    expect(stepsOf(records)).toEqual(everyStep);
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
    }, 10);
    await startMember(run, id("a"));
    const { rounds, lines, done } = await coordinate(run);
    await done;
    clearInterval(flood);
    expect(stepsOf(rounds.map(({ record }) => record))).toEqual(everyStep);
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
