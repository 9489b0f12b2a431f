/*
 * What happened to a trial, as messages of the stream of results. The state of a trial is a function of its messages.
 */
import { MessageError, messageBytes, readMessage, type MessageFields } from "../messages.ts";
import { readReference, REFERENCE_FIELDS, type ObjectReference } from "../objects.ts";
import type { LogRules } from "../fenced-log.ts";
import { VERSION } from "./trial.ts";

/** The largest message of an event. */
export const MOST_EVENT_BYTES = 16 * 1024;

/** The result of a trial. */
export interface TrialResult {
  /** The validation loss; null if training diverged. */
  readonly score: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly steps: number;
  /** Why training stopped. */
  readonly stop: string;
  readonly seconds: number;
}

/** Who writes an event. */
export interface Writer {
  readonly version: string;
  /** The name of the worker, for messages. */
  readonly worker: string;
  /** Identifies the process. Two workers may have the same name. */
  readonly session: string;
  /** Counts the processes that have started this trial, from 1. */
  readonly attempt: number;
}

/** What happened. */
export type Happening =
  /** Training starts after `step` steps. `stalled` counts the attempts in a row that started there, from 1. */
  | { readonly event: "started"; readonly step: number; readonly stalled: number }
  | {
      readonly event: "saved";
      readonly step: number;
      readonly totalSteps: number;
      readonly checkpoint: ObjectReference;
    }
  | {
      readonly event: "finished";
      readonly result: TrialResult;
      readonly model: ObjectReference;
      /** Where the next rung continues. */
      readonly checkpoint?: ObjectReference;
    }
  /** The sweep was cancelled. The trial can be started again. */
  | { readonly event: "cancelled" }
  /** The trial cannot be trained, by any worker. */
  | { readonly event: "failed"; readonly reason: string };

export type TrialEvent = Writer & Happening;

/** The end of a trial. */
export type Ending = Extract<Happening, { event: "finished" | "failed" }>;

/** What is known of a trial. */
export interface TrialState {
  /** The last attempt; 0 if the trial has not been started. */
  readonly attempt: number;
  readonly session: string;
  readonly worker: string;
  readonly step: number;
  readonly totalSteps: number | undefined;
  readonly stalled: number;
  readonly checkpoint: ObjectReference | undefined;
  readonly ending: Ending | undefined;
  /** Whether it was cancelled, and not started since. */
  readonly isCancelled: boolean;
}

/** Nothing has happened. */
export const UNTOUCHED: TrialState = {
  attempt: 0,
  session: "",
  worker: "",
  step: 0,
  totalSteps: undefined,
  stalled: 0,
  checkpoint: undefined,
  ending: undefined,
  isCancelled: false,
};

const FORMAT = 1;
const COMMON = ["format", "version", "worker", "session", "attempt", "event"];
const RESULT_FIELDS = ["score", "metrics", "steps", "stop", "seconds"];
const FIELDS = [...COMMON, "step", "stalled", "totalSteps", "checkpoint", "result", "model", "reason"];
const EVENTS = ["started", "saved", "finished", "failed", "cancelled"] as const;
const STOPS = [
  "finished",
  "maxSteps",
  "maxSeconds",
  "patience",
  "lossTolerance",
  "gradientTolerance",
  "diverged",
  "rung",
] as const;
const MOST_STEPS = 1e12;
const MOST_ATTEMPTS = 1e6;

export const eventBytes = (event: TrialEvent): Uint8Array => messageBytes({ format: FORMAT, ...event });

/** Checks an event. @throws MessageError for anything that `eventBytes` does not write */
export function readEvent(where: string, bytes: Uint8Array): TrialEvent {
  const fields = readMessage(where, bytes, { most: MOST_EVENT_BYTES, allowed: FIELDS });
  fields.literal("format", FORMAT);
  const writer = {
    version: fields.text("version", VERSION),
    worker: fields.text("worker", /^[^\p{C}]{1,80}$/u),
    session: fields.text("session", /^[0-9a-f]{32}$/),
    attempt: fields.whole("attempt", 1, MOST_ATTEMPTS),
  };
  return { ...writer, ...readHappening(fields) };
}

function readHappening(fields: MessageFields): Happening {
  const event = fields.oneOf("event", EVENTS);
  const reference = (name: string) => readReference(fields.object(name, REFERENCE_FIELDS));
  const step = () => fields.whole("step", 0, MOST_STEPS);
  if (event === "started") return { event, step: step(), stalled: fields.whole("stalled", 1, MOST_ATTEMPTS) };
  if (event === "cancelled") return { event };
  if (event === "failed") return { event, reason: fields.text("reason", /^[^\p{Cs}]{1,2000}$/su) };
  if (event === "saved") {
    const totalSteps = fields.whole("totalSteps", 1, MOST_STEPS);
    return { event, step: step(), totalSteps, checkpoint: reference("checkpoint") };
  }
  const result = readResult(fields.object("result", RESULT_FIELDS));
  const checkpoint = fields.has("checkpoint") ? { checkpoint: reference("checkpoint") } : {};
  return { event, result, model: reference("model"), ...checkpoint };
}

function readResult(fields: MessageFields): TrialResult {
  const names = Object.keys(fields.record("metrics", /^[a-z]\w{0,40}$/i, 20));
  const metrics = fields.object("metrics", names);
  const seconds = fields.finite("seconds");
  if (seconds < 0) throw new MessageError({ where: "seconds", what: "the time is negative" });
  return {
    score: fields.finiteOrNull("score"),
    metrics: Object.fromEntries(names.map((name) => [name, metrics.finiteOrNull(name)])),
    steps: fields.whole("steps", 0, MOST_STEPS),
    stop: fields.oneOf("stop", STOPS),
    seconds,
  };
}

/**
 * The state after an event. An event of an earlier attempt than the last one, of another process with the same attempt,
 * or after the end changes nothing.
 */
export function stateAfter(state: TrialState, event: TrialEvent): TrialState {
  if (state.ending || event.attempt < state.attempt) return state;
  if (event.attempt === state.attempt && event.session !== state.session) return state;
  const { attempt, session, worker } = event;
  const writer = { ...state, attempt, session, worker, isCancelled: event.event === "cancelled" };
  if (event.event === "cancelled") return writer;
  if (event.event === "started") return { ...writer, step: event.step, stalled: event.stalled };
  if (event.event === "saved")
    return { ...writer, step: event.step, stalled: 0, totalSteps: event.totalSteps, checkpoint: event.checkpoint };
  const { version: _version, worker: _worker, session: _session, attempt: _attempt, ...ending } = event;
  return { ...writer, ending };
}

/** The log of a trial. Invalid messages change nothing. */
export const trialLogRules: LogRules<TrialState> = {
  initial: UNTOUCHED,
  next(state, message) {
    try {
      return stateAfter(state, readEvent("event", message));
    } catch (error) {
      if (error instanceof MessageError) return state;
      throw error;
    }
  },
};
