/*
 * The messages between the coordinator and the workers of a run, and the records of its rounds.
 */
import { messageBytes, MessageFields, readMessage, nameOfBytes, requireNameOf } from "../messages.ts";
import { readReference, REFERENCE_FIELDS, type ObjectReference } from "../objects.ts";
import { OPTION, readDataReference, VERSION, type DataReference } from "../sweeps/trial.ts";
import { changeTypes, type ChangeType } from "./encode.ts";
import { MEMBER } from "./names.ts";
import type { OuterOptions } from "./outer.ts";
import type { OpenSteps, StepRange } from "./ranges.ts";
import type { Commit, Participation, RoundTask } from "./rounds.ts";

const FORMAT = 1;

const MOST_STEPS = Number.MAX_SAFE_INTEGER;
const MOST_WORKERS = 1024;

/** The largest message: with many workers, the record of a round. */
export const MOST_MESSAGE_BYTES = 512 * 1024;

/** How a run is shared. */
export interface SharingSettings {
  /** The number of workers that the first round waits for. */
  readonly workers: number;
  /** The number of workers whose changes a round waits for in any case. */
  readonly quorum: number;
  readonly innerSteps: number;
  readonly outer: OuterOptions;
  readonly changeType: ChangeType;
}

/** What workers are told to train: options of `wgrad train` by name, and digests of data sets. */
export interface RunDescription {
  readonly version: string;
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly data: readonly DataReference[];
  readonly sharing: SharingSettings;
  /** The same in the form that browsers train; absent for a run that they cannot join. */
  readonly prepared?: ObjectReference;
}

/** Writes a description, and names it by its digest. */
export async function describeRun(description: RunDescription): Promise<{ name: string; bytes: Uint8Array }> {
  const bytes = messageBytes({ format: FORMAT, ...description });
  return { name: await nameOfBytes(bytes), bytes };
}

/** Checks a description. @throws MessageError for anything that `describeRun` does not write */
export async function readRunDescription(name: string, bytes: Uint8Array): Promise<RunDescription> {
  const where = `run ${name}`;
  const allowed = ["format", "version", "configuration", "data", "sharing", "prepared"];
  const fields = readMessage(where, bytes, { most: MOST_MESSAGE_BYTES, allowed });
  fields.literal("format", FORMAT);
  await requireNameOf(where, name, bytes);
  return {
    version: fields.text("version", VERSION),
    configuration: fields.record("configuration", OPTION, 200),
    data: fields.list("data", 10, readDataReference),
    sharing: readSharing(fields.object("sharing", ["workers", "quorum", "innerSteps", "outer", "changeType"])),
    ...(fields.has("prepared") && { prepared: readReference(fields.object("prepared", REFERENCE_FIELDS)) }),
  };
}

function readSharing(fields: MessageFields): SharingSettings {
  const workers = fields.whole("workers", 1, MOST_WORKERS);
  const outer = fields.object("outer", ["learningRate", "momentum"]);
  return {
    workers,
    quorum: fields.whole("quorum", 1, workers),
    innerSteps: fields.whole("innerSteps", 1, 1_000_000),
    outer: { learningRate: outer.finite("learningRate"), momentum: outer.finite("momentum") },
    changeType: fields.oneOf("changeType", changeTypes),
  };
}

/** What is to be done in a round; sent again and again until it is done. */
export interface RoundMessage {
  readonly round: number;
  readonly values: ObjectReference;
  readonly tasks: readonly RoundTask[];
  /** For each worker with a task, the last round in which its change was used, if there is one. */
  readonly lastRounds: Readonly<Record<string, number>>;
  /** Whether the run has ended. There are no tasks then. */
  readonly isFinished: boolean;
}

export const roundBytes = (message: RoundMessage): Uint8Array => messageBytes({ format: FORMAT, ...message });

/** Checks the message of a coordinator. @throws MessageError */
export function readRound(run: string, bytes: Uint8Array): RoundMessage {
  const allowed = ["format", "round", "values", "tasks", "lastRounds", "isFinished"];
  const fields = readMessage(`round of run ${run}`, bytes, { most: MOST_MESSAGE_BYTES, allowed });
  fields.literal("format", FORMAT);
  return {
    round: fields.whole("round", 0, MOST_STEPS),
    values: readReference(fields.object("values", REFERENCE_FIELDS)),
    tasks: fields.list("tasks", MOST_WORKERS, readTask),
    lastRounds: readRounds(fields),
    isFinished: fields.flag("isFinished"),
  };
}

function readRounds(fields: MessageFields): Record<string, number> {
  const workers = Object.keys(fields.record("lastRounds", MEMBER, MOST_WORKERS));
  const rounds = fields.object("lastRounds", workers);
  return Object.fromEntries(workers.map((worker) => [worker, rounds.whole(worker, 0, MOST_STEPS)]));
}

const TASK_FIELDS = ["worker", "range", "scheduleStep", "scheduleStride"] as const;

const readTask = (value: unknown, where: string): RoundTask => taskIn(new MessageFields(where, value, TASK_FIELDS));

const taskIn = (fields: MessageFields): RoundTask => ({
  worker: fields.text("worker", MEMBER),
  range: readRange(fields),
  scheduleStep: fields.whole("scheduleStep", 0, MOST_STEPS),
  scheduleStride: fields.whole("scheduleStride", 1, MOST_WORKERS),
});

function readRange(fields: MessageFields): StepRange {
  return rangeIn(fields.object("range", ["first", "count"]));
}

const rangeIn = (range: MessageFields): StepRange => ({
  first: range.whole("first", 0, MOST_STEPS),
  count: range.whole("count", 1, MOST_STEPS),
});

/** A change that a worker has stored. */
export interface StoredChange {
  readonly round: number;
  readonly task: RoundTask;
  readonly ownStep: number;
  readonly examples: number;
  readonly loss: number;
  readonly type: ChangeType;
  readonly exponent: number;
  readonly object: ObjectReference;
}

/** What a worker says every second. */
export interface MemberMessage {
  readonly member: string;
  /** For messages and tables. */
  readonly name: string;
  readonly version: string;
  /** What it has done last; null before its first round. */
  readonly change: StoredChange | null;
  /** Why it cannot do its task of this round; null if it can. */
  readonly failure: { readonly round: number; readonly reason: string } | null;
}

export const memberBytes = (message: MemberMessage): Uint8Array => messageBytes({ format: FORMAT, ...message });

/** A name or a reason, as tables show it. */
const LINE = /^[^\p{C}]{1,400}$/u;

/** Checks the message of a worker. @throws MessageError */
export function readMember(run: string, bytes: Uint8Array): MemberMessage {
  const allowed = ["format", "member", "name", "version", "change", "failure"];
  const fields = readMessage(`worker of run ${run}`, bytes, { most: 16 * 1024, allowed });
  fields.literal("format", FORMAT);
  return {
    member: fields.text("member", MEMBER),
    name: fields.text("name", LINE),
    version: fields.text("version", VERSION),
    change: fields.isNull("change") ? null : readStoredChange(fields),
    failure: fields.isNull("failure") ? null : readFailure(fields.object("failure", ["round", "reason"])),
  };
}

function readStoredChange(message: MessageFields): StoredChange {
  const names = ["round", "task", "ownStep", "examples", "loss", "type", "exponent", "object"];
  const fields = message.object("change", names);
  return {
    round: fields.whole("round", 0, MOST_STEPS),
    task: taskIn(fields.object("task", TASK_FIELDS)),
    ownStep: fields.whole("ownStep", 0, MOST_STEPS),
    examples: fields.whole("examples", 1, MOST_STEPS),
    loss: fields.finite("loss"),
    type: fields.oneOf("type", changeTypes),
    exponent: fields.whole("exponent", -1000, 1000),
    object: readReference(fields.object("object", REFERENCE_FIELDS)),
  };
}

const readFailure = (fields: MessageFields) => ({
  round: fields.whole("round", 0, MOST_STEPS),
  reason: fields.text("reason", LINE),
});

/** The record of a round on the server, with everything that the next coordinator needs. */
export interface CommitRecord extends Commit {
  /** The number of steps that were committed, with this round. */
  readonly steps: number;
  readonly open: OpenSteps;
  readonly values: ObjectReference;
  readonly velocity: ObjectReference;
  /** The process that wrote it. */
  readonly coordinator: string;
  /** The names of the participants by id. */
  readonly names: Readonly<Record<string, string>>;
}

export const commitBytes = (record: CommitRecord): Uint8Array => messageBytes({ format: FORMAT, ...record });

/** Checks a record. @throws MessageError */
export function readCommit(run: string, bytes: Uint8Array): CommitRecord {
  const own = ["format", "round", "tasks", "participants", "digest", "steps", "open", "values", "velocity"];
  const allowed = [...own, "coordinator", "names"];
  const fields = readMessage(`commit of run ${run}`, bytes, { most: MOST_MESSAGE_BYTES, allowed });
  fields.literal("format", FORMAT);
  return {
    round: fields.whole("round", 0, MOST_STEPS),
    tasks: fields.list("tasks", MOST_WORKERS, readTask),
    participants: fields.list("participants", MOST_WORKERS, readParticipation),
    digest: fields.text("digest", VALUES_DIGEST),
    steps: fields.whole("steps", 0, MOST_STEPS),
    open: fields.list("open", MOST_WORKERS * MOST_WORKERS, (value, where) =>
      rangeIn(new MessageFields(where, value, ["first", "count"])),
    ),
    values: readReference(fields.object("values", REFERENCE_FIELDS)),
    velocity: readReference(fields.object("velocity", REFERENCE_FIELDS)),
    coordinator: fields.text("coordinator", MEMBER),
    names: readNames(fields),
  };
}

const VALUES_DIGEST = /^murmur3:[0-9a-f]{8}$/;

function readParticipation(value: unknown, where: string): Participation {
  const names = ["worker", "range", "ownStep", "examples", "loss", "digest", "factor"];
  const fields = new MessageFields(where, value, names);
  return {
    worker: fields.text("worker", MEMBER),
    range: readRange(fields),
    ownStep: fields.whole("ownStep", 0, MOST_STEPS),
    examples: fields.whole("examples", 1, MOST_STEPS),
    loss: fields.finite("loss"),
    digest: fields.text("digest", VALUES_DIGEST),
    factor: fields.finite("factor"),
  };
}

function readNames(fields: MessageFields): Record<string, string> {
  const names = fields.record("names", MEMBER, MOST_WORKERS);
  return Object.fromEntries(Object.entries(names).map(([member, name]) => [member, String(name)]));
}
