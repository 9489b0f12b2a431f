/*
 * The number of steps of a round, chosen by the measured speed: enough that communication takes a small share of a
 * round. It depends only on the record of the last round, so the next coordinator chooses the same number.
 */
import type { CommitRecord } from "./messages.ts";

/** The share of a round that may be spent with anything but training. */
const COMMUNICATION_SHARE = 0.1;

const FEWEST_STEPS = 10;

/** Workers drift apart in long rounds: Douillard et al. 2023 (arXiv 2311.08105) measured up to 2000 steps. */
const MOST_STEPS = 1000;

/** A run has at least about this number of rounds: few averages give a worse model (docs/cluster.md). */
const FEWEST_ROUNDS = 20;

/** How far the number may change from one round to the next, as a factor. */
const MOST_CHANGE = 2;

/** What the choice depends on. */
export type MeasuredRound = Pick<CommitRecord, "innerSteps" | "milliseconds" | "participants" | "facts" | "missing">;

/**
 * The number of steps of the next round. A round of n steps takes n t + c, with the time t of a step of the slowest
 * worker. c / (n t + c) is to be 10 %. The number changes at most by a factor of two, and is 10 to 1000, but no more
 * than a twentieth of each worker's part of the run. After a round with lost or late workers, it stays: the time that it
 * took says nothing about communication.
 * @param totalSteps the steps of the run, of all workers together
 */
export function nextInnerSteps(
  { innerSteps, milliseconds, participants, facts, missing }: MeasuredRound,
  totalSteps: number,
): number {
  const trained = participants.map(({ worker, range }) => ({
    time: facts[worker]?.trainMilliseconds ?? 0,
    steps: range.count,
  }));
  const longest = Math.max(...trained.map(({ time }) => time));
  const stepTime = Math.max(...trained.map(({ time, steps }) => time / steps));
  // Times are whole milliseconds, so very short rounds say nothing.
  if (Object.keys(missing).length > 0 || stepTime === 0) return innerSteps;
  const communication = Math.max(0, milliseconds - longest);
  const wanted = Math.round((communication * (1 / COMMUNICATION_SHARE - 1)) / stepTime);
  const most = Math.min(MOST_STEPS, Math.floor(totalSteps / participants.length / FEWEST_ROUNDS));
  const near = Math.min(Math.max(wanted, Math.ceil(innerSteps / MOST_CHANGE)), innerSteps * MOST_CHANGE);
  return Math.max(FEWEST_STEPS, Math.min(most, near));
}
