/*
 * Coordinators and workers of shared runs, on connections of their own in this process.
 */
import { afterEach, beforeAll, expect } from "vitest";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import type { NatsLink } from "../../../src/cluster/connection.ts";
import { Coordinator, type CoordinatedRound } from "../../../src/cluster/training/coordinator.ts";
import { flattened, layoutOf } from "../../../src/cluster/training/layout.ts";
import { TrainingMember } from "../../../src/cluster/training/member.ts";
import {
  memberBytes,
  readRound,
  type CommitRecord,
  type MemberMessage,
  type RoundMessage,
} from "../../../src/cluster/training/messages.ts";
import { RoundTrainer } from "../../../src/cluster/training/round-trainer.ts";
import { LEASES, memberSubject, roundSubject } from "../../../src/cluster/training/names.ts";
import type { SharedOptions } from "../../../src/cluster/training/rounds.ts";
import { loadRun, RunStore, storeRun } from "../../../src/cluster/training/run-store.ts";
import { setUpTraining } from "../../../src/cluster/training/set-up.ts";
import { SharedRun } from "../../../src/cluster/training/together.ts";
import type { AnyModel } from "../../../src/nn/functional.ts";
import { createTrainer, type TrainerOptions } from "../../../src/train/index.ts";
import { version } from "../../../src/version.ts";
import { dropoutRun } from "../../train/examples.ts";
import { natsServer } from "../nats-server.ts";
import { expectEachStepOnce, logOf } from "./logs.ts";

export const server = natsServer();

/** Short times, so that lost workers and coordinators are replaced soon. */
export const REPORT_MILLISECONDS = 40;
const LEASE_MILLISECONDS = 600;

export const INNER_STEPS = 7;
const STATE_EVERY = 3;
const outer = { learningRate: 1, momentum: 0.5 };

const trainerOptions = (): TrainerOptions<AnyModel> =>
  ({ ...dropoutRun, backend: createCpuBackend() }) as unknown as TrainerOptions<AnyModel>;
export const layout = layoutOf(dropoutRun.model);
export const options: SharedOptions = {
  innerSteps: INNER_STEPS,
  outer,
  changeType: "float16",
  totalSteps: 120,
};

export const id = (letter: string) => letter.repeat(32);

let runs = 0;
/** What the workers of the current test have warned of. */
export const warnings: string[] = [];

export const opened: { readonly stop: AbortController; readonly done: Promise<unknown>; readonly link: NatsLink }[] =
  [];

beforeAll(async () => {
  const link = await server.current.connect();
  await setUpTraining(link, { leaseMilliseconds: LEASE_MILLISECONDS });
  await link.close();
});

afterEach(async () => {
  warnings.length = 0;
  for (const { stop, done, link } of opened.splice(0)) {
    stop.abort();
    await done;
    await link.close();
  }
});

/** Stores the description of another run. */
export async function newRun(workers: number): Promise<string> {
  const link = await server.current.connect();
  const sharing = {
    workers,
    quorum: 1,
    innerSteps: INNER_STEPS,
    outer,
    changeType: "float16",
    stateEvery: STATE_EVERY,
    isAdaptive: false,
  } as const;
  const name = await storeRun(link, { version, configuration: { seed: ++runs }, data: [], sharing });
  expect(await loadRun(link, name)).toMatchObject({ sharing });
  await link.close();
  return name;
}

/** Starts a worker. */
export async function startMember(
  run: string,
  worker: string,
  trained: (round: number) => void = () => {},
  address = server.current.address,
): Promise<AbortController> {
  const link = await server.current.connect("worker", { kind: "none" }, undefined, address);
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
    warn: (line) => warnings.push(line),
  });
  opened.push({ stop, done: member.run(), link });
  return stop;
}

type Said = Pick<MemberMessage, "change" | "failure">;

/**
 * Starts a worker named "liar" that reports what it likes.
 * @param answer what it says after a message of the coordinator; while it decides, it hears no others
 */
export async function startLiar(
  run: string,
  member: string,
  answer: (message: RoundMessage, store: RunStore) => Promise<Partial<Said>>,
): Promise<void> {
  const link = await server.current.connect("worker");
  const store = await RunStore.open(link, run);
  let said: Said = { change: null, failure: null };
  let answering: Promise<void> | undefined;
  const report = () =>
    link.connection.publish(memberSubject(run), memberBytes({ member, name: "liar", version, ...said }));
  link.connection.subscribe(roundSubject(run), {
    callback: (_error, message) => {
      const round = readRound(run, message.data);
      if (round.isFinished) return;
      answering ??= (async () => {
        said = { ...said, ...(await answer(round, store)) };
        report();
        answering = undefined;
      })();
    },
  });
  const reports = setInterval(report, REPORT_MILLISECONDS);
  const stop = new AbortController();
  const done = new Promise((resolve) => stop.signal.addEventListener("abort", resolve)).then(() => {
    clearInterval(reports);
    return answering;
  });
  opened.push({ stop, done, link });
}

interface Coordination {
  readonly stop: AbortController;
  readonly rounds: CoordinatedRound[];
  readonly lines: string[];
  readonly done: Promise<void>;
}

/** Starts a coordinator. It begins the next round after `committed`, which may be a promise. */
export async function coordinate(
  run: string,
  {
    workers = 1,
    quorum = 1,
    owner = id("0"),
    isAdaptive = false,
    committed = (_round: CoordinatedRound): unknown => undefined,
  } = {},
): Promise<Coordination> {
  const link = await server.current.connect();
  const trainer = await createTrainer(trainerOptions());
  const initial = flattened(layout, (await trainer.snapshot()).parameters);
  trainer.dispose();
  const stop = new AbortController();
  const [rounds, lines]: [CoordinatedRound[], string[]] = [[], []];
  const coordinator = new Coordinator(
    { name: run, layout, options, sharing: { workers, quorum, stateEvery: STATE_EVERY, isAdaptive }, initial },
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
      await committed(round);
    }
  })();
  done.catch(() => {});
  opened.push({ stop, done: done.catch(() => {}), link });
  return { stop, rounds, lines, done };
}

/** Expects that a log has each step of the run exactly once. */
export const expectEachStep = (records: readonly CommitRecord[]): void =>
  expectEachStepOnce(records, options.totalSteps);

/** Expects that the replay of a log in one process gives its values. */
export async function expectReplay(records: readonly CommitRecord[], values: Float32Array): Promise<void> {
  const shared = await SharedRun.create(trainerOptions(), { workers: [id("a")], innerSteps: INNER_STEPS, outer });
  for await (const { commit } of shared.replay(records)) expect(commit.round).toBeLessThan(records.length);
  expect(shared.state.values).toEqual(values);
  shared.dispose();
}

/** The digests of the rounds of a run in one process, and the values at the end. */
export async function undisturbedRun(workers: readonly string[]): Promise<[string[], Float32Array]> {
  const shared = await SharedRun.create(trainerOptions(), { workers, innerSteps: INNER_STEPS, outer });
  const digests: string[] = [];
  for await (const { commit } of shared.rounds()) digests.push(commit.digest);
  const { values } = shared.state;
  shared.dispose();
  return [digests, values];
}

/** Cuts all connections, as when the processes are killed. */
export async function loseAll(): Promise<void> {
  for (const { link } of opened) await link.connection.close();
  for (const { stop, done } of opened.splice(0)) {
    stop.abort();
    await done.catch(() => {});
  }
}

/** The id of the coordinator that holds the lease of a run; undefined if there is none. */
export async function holderOf(run: string): Promise<string | undefined> {
  const link = await server.current.connect();
  const leases = await new link.packages.kv.Kvm(link.streams).open(LEASES);
  const entry = await leases.get(run);
  await link.close();
  return entry?.string();
}

export const commitsOf = (run: string): Promise<readonly CommitRecord[]> => logOf(server.current, run);
