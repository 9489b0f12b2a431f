/*
 * Coordinates a run that workers share: gives out tasks, collects changes, and commits rounds. Any number of processes may
 * try at the same time; one of them holds the lease, and the log refuses the records of all others.
 */
import { LeaseLostError } from "../fenced-log.ts";
import { DataError } from "../../errors.ts";
import type { NatsLink } from "../connection.ts";
import { nextInnerSteps } from "./adaptive.ts";
import { MessageError } from "../messages.ts";
import type { ObjectReference } from "../objects.ts";
import { whileUnreachable } from "../retry.ts";
import { dismissWorkers } from "./cancel.ts";
import { HeldObjects, LostValuesError, type HeldObject } from "./held-objects.ts";
import { historiesBytes, WorkerHistories, type WorkerHistory } from "./history.ts";
import type { ValueLayout } from "./layout.ts";
import { CoordinatorLease } from "./lease.ts";
import { Members, REPORT_MILLISECONDS } from "./members.ts";
import type { CommitRecord, RoundMessage, SharingSettings, UsedChange } from "./messages.ts";
import { RoundCollector } from "./round-collector.ts";
import { closeRun, RunStore, vectorBytes } from "./run-store.ts";
import {
  commitRound,
  firstState,
  isFinished,
  tasksOf,
  type Contribution,
  type RoundTask,
  type SharedOptions,
  type SharedState,
} from "./rounds.ts";
import { Successors } from "./successors.ts";

/** What a coordinator needs to know of a run. */
export interface CoordinatedRun {
  readonly name: string;
  readonly layout: ValueLayout;
  readonly options: SharedOptions;
  readonly sharing: Pick<SharingSettings, "workers" | "quorum" | "stateEvery" | "isAdaptive">;
  /** The initial values of the model. */
  readonly initial: Float32Array;
}

export interface CoordinatorOptions {
  readonly link: NatsLink;
  /** The id of this process. */
  readonly owner: string;
  readonly version: string;
  readonly signal: AbortSignal;
  /** The time between two reports of a worker; 1000 by default. */
  readonly reportMilliseconds?: number;
  log(line: string): void;
}

/** A round that was committed, by this process or by another one. */
export interface CoordinatedRound {
  readonly record: CommitRecord;
  /** The values after the round. */
  readonly values: Float32Array;
}

/** The last round, and the state after it. */
type LastRound = CoordinatedRound & { readonly state: SharedState };

/** What a round begins with. */
interface RoundStart {
  readonly state: SharedState;
  readonly values: ObjectReference;
  /** Absent before the first round. */
  readonly velocity?: ObjectReference;
}

/** A round whose changes have arrived. */
interface CollectedRound {
  readonly start: RoundStart;
  readonly tasks: readonly RoundTask[];
  readonly contributions: readonly Contribution[];
  readonly collector: RoundCollector;
  /** The time at which it began, as of `performance.now()`. */
  readonly began: number;
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/**
 * A run that is continued waits for as many workers as there were in the last round, but once the quorum is there only for
 * this number of reports: they are started one after another.
 */
const RETURN_REPORTS = 30;

/** Coordinates one run. */
export class Coordinator {
  readonly #run: CoordinatedRun;
  readonly #options: CoordinatorOptions;
  readonly #members: Members;
  /** The last round in which the change of each worker was used. */
  readonly #lastRounds = new Map<string, UsedChange>();
  #histories: WorkerHistories;
  readonly #successors = new Successors();
  /** The workers that have a new process, which has not contributed yet. */
  readonly #replaced = new Set<string>();
  /** H of the next round. */
  #innerSteps: number;
  #isStandby = false;
  /** The last round that this process has committed or read. */
  #last: LastRound | undefined;

  constructor(run: CoordinatedRun, options: CoordinatorOptions) {
    [this.#run, this.#options] = [run, options];
    this.#histories = new WorkerHistories(run.sharing.stateEvery);
    this.#innerSteps = run.options.innerSteps;
    const { link, version, reportMilliseconds = REPORT_MILLISECONDS, log } = options;
    this.#members = new Members(link, run.name, { version, reportMilliseconds, log: (line) => log(line) });
  }

  /**
   * Coordinates the run to its end, or waits until its coordinator ends or is lost. Yields the rounds that it commits, and
   * after a wait the last one of the other coordinator. Ends early if the signal is aborted.
   */
  async *rounds(): AsyncGenerator<CoordinatedRound, void, undefined> {
    const { link, signal, owner, log } = this.#options;
    const store = await RunStore.open(link, this.#run.name);
    let hasRounds = false;
    try {
      while (!signal.aborted) {
        const last = await this.#lastRound(store).catch((error: unknown) => {
          // The process that coordinates may have the values.
          if (!(error instanceof LostValuesError)) throw error;
        });
        if (last && isFinished(last.state, this.#run.options)) {
          if (this.#isStandby || !hasRounds) yield last;
          return await this.#close(store, last.record.round);
        }
        const lease = await CoordinatorLease.take(link, this.#run.name, owner);
        if (!lease) {
          if (!this.#isStandby) log("Another process coordinates this run. This one continues if that one is lost.");
          this.#isStandby = true;
          await pause(this.#members.reportMilliseconds);
          continue;
        }
        for await (const round of this.#coordinate(store, lease)) {
          hasRounds = true;
          yield round;
        }
      }
    } finally {
      this.#members.stop();
    }
  }

  /** The workers that are there, by their names. */
  get workers(): string[] {
    return this.#members.alive.map(({ name }) => name);
  }

  async *#coordinate(store: RunStore, lease: CoordinatorLease): AsyncGenerator<CoordinatedRound, void, undefined> {
    const { signal, log } = this.#options;
    const ended = AbortSignal.any([signal, lease.lost]);
    try {
      // Read again: the coordinator before may have committed since.
      const last = await this.#lastRound(store);
      if (this.#isStandby && last) log(`Coordinating from round ${last.record.round + 1} on.`);
      this.#isStandby = false;
      let start = last ? startAfter(last) : await this.#firstStart(store);
      // This process may have had the state in memory.
      if (last) await this.#heldObjects(store, start).repair(ended);
      if (last && !isFinished(start.state, this.#run.options)) await this.#replaceWorkers(last.record, ended);
      while (!isFinished(start.state, this.#run.options)) {
        const committed = await this.#round(store, start, ended);
        if (!committed) continue;
        this.#last = committed;
        start = startAfter(committed);
        yield committed;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof LeaseLostError) && !lease.lost.aborted) throw error;
      log("Another process has taken over the coordination of this run.");
      this.#isStandby = true;
    } finally {
      await lease.release();
    }
  }

  /** @returns undefined if no change arrived */
  async #round(store: RunStore, start: RoundStart, ended: AbortSignal): Promise<LastRound | undefined> {
    const { layout, sharing, name: run } = this.#run;
    const options = { ...this.#run.options, innerSteps: this.#innerSteps };
    const { link } = this.#options;
    const { state, values } = start;
    const { round } = state;
    await this.#awaitWorkers(round === 0 ? sharing.workers : sharing.quorum, ended);
    const tasks = tasksOf(state, this.#alive, options);
    const histories = await this.#putHistories(store, round, tasks, ended);
    const message = this.#message({ round, values, tasks, histories: histories?.reference ?? null });
    const held = this.#heldObjects(store, start, histories);
    const memberOf = (worker: string) => this.#successors.memberOf(worker);
    const began = performance.now();
    const collector = new RoundCollector({ link, run, store, members: this.#members, layout, message, held, memberOf });
    const contributions = await collector.collect(sharing.quorum, ended);
    if (contributions.length > 0) return this.#commit(store, { start, tasks, contributions, collector, began }, ended);
    const failures = [...collector.missing.values()].flatMap(({ reason }) => reason ?? []);
    if (failures.length > 0 && failures.length === tasks.length) throw allFailed(run, round, failures[0]!);
    return undefined;
  }

  /** What a round needs. Workers read the values and the histories, and the next coordinator the values and the velocity. */
  #heldObjects(store: RunStore, { state, values, velocity }: RoundStart, histories?: HeldObject): HeldObjects {
    const { link, log } = this.#options;
    const objects = [{ reference: values, bytes: vectorBytes(state.values) }];
    if (velocity) objects.push({ reference: velocity, bytes: vectorBytes(state.velocity) });
    if (histories) objects.push(histories);
    return new HeldObjects({ link, store, run: this.#run.name, round: state.round, objects, log: (line) => log(line) });
  }

  /** Stores the histories that new processes need, if there are any. */
  async #putHistories(
    store: RunStore,
    round: number,
    tasks: readonly RoundTask[],
    ended: AbortSignal,
  ): Promise<HeldObject | undefined> {
    const { link, owner } = this.#options;
    const needed = tasks.flatMap(({ worker }): [string, WorkerHistory][] => {
      const history = this.#replaced.has(worker) ? this.#histories.of(worker) : undefined;
      return history ? [[worker, history]] : [];
    });
    if (needed.length === 0) return undefined;
    const bytes = historiesBytes(Object.fromEntries(needed));
    const put = () => store.putBytes("histories", { round, owner }, bytes);
    return { reference: await whileUnreachable(link, put, ended), bytes };
  }

  /** What the workers are told to do. */
  #message(given: Pick<RoundMessage, "round" | "values" | "tasks" | "histories">): Omit<RoundMessage, "checks"> {
    const workers = given.tasks.map(({ worker }) => worker);
    const known = workers.flatMap((worker) => {
      const last = this.#lastRounds.get(worker);
      return last === undefined ? [] : [[worker, last] as const];
    });
    return {
      ...given,
      lastRounds: Object.fromEntries(known),
      members: this.#successors.members,
      stateOf: workers.filter((worker) => this.#histories.needsState(worker)),
      isFinished: false,
    };
  }

  async #commit(
    store: RunStore,
    { start: { state, values }, tasks, contributions, collector, began }: CollectedRound,
    ended: AbortSignal,
  ): Promise<LastRound> {
    const { link, owner } = this.#options;
    const { options, layout } = this.#run;
    const settings = { ...options, layout, innerSteps: this.#innerSteps };
    const { state: next, commit } = commitRound(state, tasks, contributions, settings);
    const place = { round: next.round, owner };
    const put = (kind: "values" | "velocity") =>
      whileUnreachable(link, () => store.putVector(kind, place, next[kind]), ended);
    const workers = commit.participants.map(({ worker }) => worker);
    const record: CommitRecord = {
      ...commit,
      steps: next.steps,
      open: next.open,
      start: values,
      values: await put("values"),
      velocity: await put("velocity"),
      coordinator: owner,
      names: Object.fromEntries(collector.names),
      members: this.#successors.membersOf(workers),
      states: Object.fromEntries(collector.states),
      milliseconds: Math.round(performance.now() - began),
      facts: Object.fromEntries(collector.facts),
      missing: Object.fromEntries(collector.missing),
    };
    await store.append(record, ended);
    const waiting = tasks.map(({ worker }) => worker).filter((worker) => this.#replaced.has(worker));
    this.#note(record, new Set(waiting));
    // Workers may still read the values of the round before.
    await store.removeBefore(state.round, this.#histories.objects).catch(() => undefined);
    return { record, values: next.values, state: next };
  }

  /**
   * The last record and the state after it; undefined before the first round.
   * @throws LostValuesError if the server has lost the values of that state, and this process does not have them
   */
  async #lastRound(store: RunStore): Promise<LastRound | undefined> {
    const { link, signal } = this.#options;
    const read = async () => {
      const commits = await store.commits();
      this.#histories = new WorkerHistories(this.#run.sharing.stateEvery);
      for (const each of commits) this.#note(each);
      const record = commits.at(-1);
      return record && this.#stateAfter(store, record);
    };
    for (;;) {
      const last = await whileUnreachable(link, read, signal);
      if (last === "replaced") continue;
      this.#last = last;
      return last;
    }
  }

  /** @returns "replaced" if another coordinator has removed the values, because it has committed more rounds */
  async #stateAfter(store: RunStore, record: CommitRecord): Promise<LastRound | "replaced"> {
    const { name, layout } = this.#run;
    const known = this.#last && hasSameVectors(this.#last.record, record) ? this.#last.state : undefined;
    try {
      const values = known?.values ?? (await store.vector(record.values, layout.size));
      const velocity = known?.velocity ?? (await store.vector(record.velocity, layout.size));
      const state = { values, velocity, round: record.round + 1, steps: record.steps, open: record.open };
      return { record, values, state };
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      if ((await store.commits()).length > record.round + 1) return "replaced";
      throw new LostValuesError(name, record.round + 1, error);
    }
  }

  /** @param waiting see `WorkerHistories.note` */
  #note(record: CommitRecord, waiting?: ReadonlySet<string>): void {
    this.#histories.note(record, waiting);
    this.#successors.note(record.members);
    const { sharing, options } = this.#run;
    if (sharing.isAdaptive) this.#innerSteps = nextInnerSteps(record, options.totalSteps);
    const { round } = record;
    for (const { worker, digest } of record.participants) {
      this.#lastRounds.set(worker, { round, digest });
      this.#replaced.delete(worker);
    }
  }

  /** The workers that may get tasks. */
  get #alive(): string[] {
    const workers = this.#members.alive.map(({ member }) => this.#successors.workerOf(member));
    return workers.filter((worker) => worker !== undefined);
  }

  /** Waits for the workers of the last round, or for new processes in their places. */
  async #replaceWorkers({ participants }: CommitRecord, ended: AbortSignal): Promise<void> {
    const { quorum } = this.#run.sharing;
    await this.#awaitWorkers(Math.min(quorum, participants.length), ended);
    await this.#awaitWorkers(participants.length, ended, RETURN_REPORTS * this.#members.reportMilliseconds);
    const workers = participants.map(({ worker }) => worker);
    const alive = this.#members.alive.map(({ member }) => member);
    for (const worker of this.#successors.appoint(workers, alive)) this.#replaced.add(worker);
  }

  async #firstStart(store: RunStore): Promise<RoundStart> {
    const { link, owner, signal } = this.#options;
    const state = firstState(this.#run.initial, this.#run.options);
    const put = () => store.putVector("values", { round: state.round, owner }, state.values);
    return { state, values: await whileUnreachable(link, put, signal) };
  }

  async #awaitWorkers(count: number, ended: AbortSignal, milliseconds = Infinity): Promise<void> {
    const { log } = this.#options;
    const deadline = performance.now() + milliseconds;
    let said = -1;
    for (;;) {
      ended.throwIfAborted();
      const { length } = this.#alive;
      if (length >= count || performance.now() > deadline) return;
      if (length !== said) log(`Waiting for workers: ${length} of ${count} are there.`);
      said = length;
      await this.#members.change(this.#members.reportMilliseconds);
    }
  }

  /** Tells the workers that the run has ended, and keeps only its last values. */
  async #close(store: RunStore, lastRound: number): Promise<void> {
    const { link, signal } = this.#options;
    await whileUnreachable(link, () => closeRun(link, this.#run.name), signal);
    await store.removeBefore(lastRound + 1, new Set()).catch(() => undefined);
    await dismissWorkers(link, this.#run.name, this.#members.reportMilliseconds);
  }
}

const startAfter = ({ state, record: { values, velocity } }: LastRound): RoundStart => ({ state, values, velocity });

const hasSameVectors = (one: CommitRecord, other: CommitRecord): boolean =>
  one.values.digest === other.values.digest && one.velocity.digest === other.velocity.digest;

const allFailed = (run: string, round: number, reason: string) =>
  new DataError({
    where: `run ${run}`,
    what: `no worker can train round ${round + 1}: ${reason.replace(/\.$/, "")}`,
    fix: "Start a run with other options",
  });
