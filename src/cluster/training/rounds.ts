/*
 * The state of a shared run and how a round changes it. Whoever coordinates a run uses these functions, and so does the
 * replay of a log, so both have the same bits.
 */
import { DataError } from "../../errors.ts";
import { murmurHash } from "../../formats/digest.ts";
import { decodeChange, type ChangeType, type EncodedChange } from "./encode.ts";
import type { ValueLayout } from "./layout.ts";
import { byWorker, meanChange, outerStep, type OuterOptions, type OuterState } from "./outer.ts";
import { clippingFactors, normOf } from "./outliers.ts";
import { nextRanges, stepsIn, without, type OpenSteps, type StepRange } from "./ranges.ts";

/** How a run is shared; the same for all of its rounds. */
export interface SharedOptions {
  /** H, the maximum number of steps of a worker in a round; in the first round, if it is chosen by speed. */
  readonly innerSteps: number;
  readonly outer: OuterOptions;
  /** The type in which changes are sent. */
  readonly changeType: ChangeType;
  readonly totalSteps: number;
}

/** The state of a shared run between two rounds. */
export interface SharedState extends OuterState {
  /** The number of rounds that were committed. */
  readonly round: number;
  /** The number of steps that were committed, of all workers together. */
  readonly steps: number;
  readonly open: OpenSteps;
}

/** What a worker does in a round. */
export interface RoundTask {
  readonly worker: string;
  readonly range: StepRange;
  /** The point of the schedule of its first step, and how far each step advances it: the workers train side by side. */
  readonly scheduleStep: number;
  readonly scheduleStride: number;
}

/** Whether two tasks are the same. */
export const isSameTask = (one: RoundTask, other: RoundTask): boolean =>
  one.worker === other.worker &&
  one.range.first === other.range.first &&
  one.range.count === other.range.count &&
  one.scheduleStep === other.scheduleStep &&
  one.scheduleStride === other.scheduleStride;

/** What a worker sends after a round. */
export interface Contribution {
  readonly worker: string;
  readonly range: StepRange;
  /** The number of steps that its trainer had made before the round; 0 for a trainer that began with it. */
  readonly ownStep: number;
  readonly examples: number;
  /** The mean loss of its steps. */
  readonly loss: number;
  /** Its change, as it was sent. */
  readonly change: EncodedChange;
}

/** A worker in the record of a round. */
export interface Participation extends Omit<Contribution, "change"> {
  /** The digest of its change, as it was sent. */
  readonly digest: string;
  /** Below 1 if its change was clipped. */
  readonly factor: number;
}

/** The record of a round, from which it can be repeated. */
export interface Commit {
  /** Counted from 0. */
  readonly round: number;
  /** H of this round. */
  readonly innerSteps: number;
  readonly tasks: readonly RoundTask[];
  /** The workers whose changes were used, in the order of their ids. */
  readonly participants: readonly Participation[];
  /** The digest of the values after the round. */
  readonly digest: string;
}

/** The state before the first round. */
export const firstState = (values: Float32Array, { totalSteps }: SharedOptions): SharedState => ({
  values,
  velocity: new Float32Array(values.length),
  round: 0,
  steps: 0,
  open: [{ first: 0, count: totalSteps }],
});

export const isFinished = ({ steps }: SharedState, { totalSteps }: SharedOptions): boolean => steps >= totalSteps;

/** The tasks of the next round. The ranges are given out in the order of the workers' ids. */
export function tasksOf(state: SharedState, workers: readonly string[], { innerSteps }: SharedOptions): RoundTask[] {
  const ids = workers.map((worker) => ({ worker })).sort(byWorker);
  const ranges = nextRanges(state.open, ids.length, innerSteps);
  return ranges.map((range, index) => ({
    worker: ids[index]!.worker,
    range,
    scheduleStep: state.steps,
    scheduleStride: ranges.length,
  }));
}

/** The digest of a vector. */
export function digestOfValues(values: Float32Array): string {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return `murmur3:${murmurHash([words]).toString(16).padStart(8, "0")}`;
}

/**
 * The state after a round, and its record. The steps of tasks without a contribution stay open.
 * @throws DataError for a contribution that does not fit its task, or a change with a value that is not finite
 */
export function commitRound(
  state: SharedState,
  tasks: readonly RoundTask[],
  contributions: readonly Contribution[],
  { layout, ...options }: SharedOptions & { readonly layout: ValueLayout },
): { readonly state: SharedState; readonly commit: Commit } {
  const ordered = [...contributions].sort(byWorker);
  const changes = ordered.map((one) => changeOf(one, tasks, layout));
  const factors = clippingFactors(changes.map(normOf));
  const used = ordered.map((one, index) => ({ ...one, change: changes[index]!, factor: factors[index]! }));
  const { values, velocity } = outerStep(layout, state, meanChange(used), options.outer);
  const { round } = state;
  const { innerSteps } = options;
  const participants = used.map(({ change, ...one }) => ({ ...one, digest: digestOfValues(change) }));
  return {
    commit: { round, innerSteps, tasks, participants, digest: digestOfValues(values) },
    state: {
      values,
      velocity,
      round: round + 1,
      steps: state.steps + stepsIn(ordered.map(({ range }) => range)),
      open: ordered.reduce((open, { range }) => without(open, range), state.open),
    },
  };
}

function changeOf({ worker, range, change }: Contribution, tasks: readonly RoundTask[], { size }: ValueLayout) {
  const task = tasks.find((one) => one.worker === worker);
  if (task?.range.first !== range.first || task.range.count !== range.count) {
    const what = `its steps ${range.first} … ${range.first + range.count - 1} are not those of its task`;
    throw new DataError({ where: `worker ${worker}`, what, fix: "Its change is not used" });
  }
  return decodeChange(`worker ${worker}`, change, size);
}
