/*
 * What each worker did during a run, as its log has it.
 */
import type { CommitRecord } from "./messages.ts";
import type { StepRange } from "./ranges.ts";

/** What a worker did for some time: it trained, waited for the end of the round, or its change was not used. */
export type Activity = "trained" | "waited" | "lost" | "late" | "refused";

/** An activity, in seconds from the start of the first round. Pauses between rounds are left out. */
export interface Span {
  readonly activity: Activity;
  readonly from: number;
  readonly to: number;
}

/** A worker during a run. */
export interface WorkerTimeline {
  readonly name: string;
  readonly spans: readonly Span[];
  /** What it did in each of its rounds: the steps that were used, or why they were not. */
  readonly rounds: ReadonlyMap<number, StepRange | Activity>;
  readonly steps: number;
  readonly examples: number;
  readonly sentBytes: number;
  /** What it read: the values of each of its rounds. */
  readonly readBytes: number;
  readonly trainSeconds: number;
  /** The rest of its rounds: sending, reading, and waiting for others. */
  readonly waitSeconds: number;
  /** How often its change was scaled down. */
  readonly clipped: number;
  /** Why its changes were refused. */
  readonly refusals: readonly string[];
}

/** A run by worker. */
export interface Timeline {
  readonly seconds: number;
  readonly rounds: number;
  readonly examples: number;
  /** What all workers sent and read. */
  readonly bytes: number;
  /** In the order of the first round of each worker. */
  readonly workers: readonly WorkerTimeline[];
}

type Building = { -readonly [Name in keyof WorkerTimeline]: WorkerTimeline[Name] } & {
  readonly spans: Span[];
  readonly rounds: Map<number, StepRange | Activity>;
  readonly refusals: string[];
};

/** The timeline of a log. */
export function timelineOf(commits: readonly CommitRecord[]): Timeline {
  const workers = new Map<string, Building>();
  let seconds = 0;
  for (const commit of commits) {
    const end = seconds + commit.milliseconds / 1000;
    addParticipants(workers, commit, seconds, end);
    for (const [id, { name, kind, reason }] of Object.entries(commit.missing)) {
      const worker = workerIn(workers, id, name);
      worker.spans.push({ activity: kind, from: seconds, to: end });
      worker.rounds.set(commit.round, kind);
      if (reason !== null) worker.refusals.push(reason);
    }
    seconds = end;
  }
  const all = [...workers.values()];
  const total = (of: (worker: WorkerTimeline) => number) => all.reduce((sum, worker) => sum + of(worker), 0);
  return {
    seconds,
    rounds: commits.length,
    examples: total(({ examples }) => examples),
    bytes: total(({ sentBytes, readBytes }) => sentBytes + readBytes),
    workers: all,
  };
}

function addParticipants(
  workers: Map<string, Building>,
  { round, participants, facts, names, start }: CommitRecord,
  from: number,
  to: number,
): void {
  for (const { worker: id, range, examples, factor } of participants) {
    const worker = workerIn(workers, id, names[id] ?? id);
    const { trainMilliseconds = 0, sentBytes = 0 } = facts[id] ?? {};
    // A worker may report any time.
    const trained = Math.min(trainMilliseconds / 1000, to - from);
    worker.spans.push({ activity: "trained", from, to: from + trained });
    worker.spans.push({ activity: "waited", from: from + trained, to });
    worker.rounds.set(round, range);
    worker.steps += range.count;
    worker.examples += examples;
    worker.sentBytes += sentBytes;
    worker.readBytes += start.bytes;
    worker.trainSeconds += trained;
    worker.waitSeconds += to - from - trained;
    if (factor < 1) worker.clipped++;
  }
}

function workerIn(workers: Map<string, Building>, id: string, name: string): Building {
  const known = workers.get(id);
  if (known) {
    // Another process may act as the worker since.
    known.name = name;
    return known;
  }
  const zeros = { steps: 0, examples: 0, sentBytes: 0, readBytes: 0, trainSeconds: 0, waitSeconds: 0, clipped: 0 };
  const worker: Building = { name, spans: [], rounds: new Map(), refusals: [], ...zeros };
  workers.set(id, worker);
  return worker;
}

/**
 * The activities of a worker in equal parts of the run: in each the one that took the longest, or undefined where the
 * worker took no part.
 */
export function activitiesIn({ spans }: WorkerTimeline, seconds: number, parts: number): (Activity | undefined)[] {
  const times = Array.from({ length: parts }, () => new Map<Activity, number>());
  const width = seconds / parts;
  for (const { activity, from, to } of spans) {
    const last = Math.min(parts - 1, Math.floor(to / width));
    for (let part = Math.floor(from / width); part <= last; part++) {
      const shared = Math.min(to, (part + 1) * width) - Math.max(from, part * width);
      if (shared > 0) times[part]!.set(activity, (times[part]!.get(activity) ?? 0) + shared);
    }
  }
  return times.map((time) => [...time].sort(([, a], [, b]) => b - a)[0]?.[0]);
}
