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

export const FORMAT = 1;

const MOST_STEPS = Number.MAX_SAFE_INTEGER;

/** With more workers, the record of a round could be too large for a message. */
export const MOST_WORKERS = 512;

const MOST_ROUNDS = 10_000;
const MOST_CHECKS = 10_000;
const MOST_INNER_STEPS = 1_000_000;
const MOST_MILLISECONDS = 1e10;

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
  /** The number of rounds after which each worker stores the state of its optimizer. */
  readonly stateEvery: number;
  /** Whether the number of inner steps is chosen by measured speed, after the first round. */
  readonly isAdaptive: boolean;
}

const SHARING_FIELDS = ["workers", "quorum", "innerSteps", "outer", "changeType", "stateEvery", "isAdaptive"];

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
    sharing: readSharing(fields.object("sharing", SHARING_FIELDS)),
    ...(fields.has("prepared") && { prepared: readReference(fields.object("prepared", REFERENCE_FIELDS)) }),
  };
}

function readSharing(fields: MessageFields): SharingSettings {
  const workers = fields.whole("workers", 1, MOST_WORKERS);
  const outer = fields.object("outer", ["learningRate", "momentum"]);
  return {
    workers,
    quorum: fields.whole("quorum", 1, workers),
    innerSteps: fields.whole("innerSteps", 1, MOST_INNER_STEPS),
    outer: { learningRate: outer.finite("learningRate"), momentum: outer.finite("momentum") },
    changeType: fields.oneOf("changeType", changeTypes),
    stateEvery: fields.whole("stateEvery", 1, MOST_ROUNDS),
    isAdaptive: fields.flag("isAdaptive"),
  };
}

/** A change that was used. */
export interface UsedChange {
  readonly round: number;
  /** As in the record of the round: if two processes have the same id, it says whose change was used. */
  readonly digest: string;
}

/** What is to be done in a round; sent again and again until it is done. */
export interface RoundMessage {
  readonly round: number;
  readonly values: ObjectReference;
  readonly tasks: readonly RoundTask[];
  /** For each worker with a task, the last round in which its change was used, if there is one. */
  readonly lastRounds: Readonly<Record<string, UsedChange>>;
  /** The processes that act as workers of other ids, by worker. */
  readonly members: Readonly<Record<string, string>>;
  /** The workers that store the state of their optimizer together with their change. */
  readonly stateOf: readonly string[];
  /** The histories of workers that have a new process; null if there are none. */
  readonly histories: ObjectReference | null;
  /** How often in this round the coordinator has checked that the server has its objects, because a worker could not read one. */
  readonly checks: number;
  /** Whether the run has ended. There are no tasks then. */
  readonly isFinished: boolean;
}

export const roundBytes = (message: RoundMessage): Uint8Array => messageBytes({ format: FORMAT, ...message });

/** Checks the message of a coordinator. @throws MessageError */
export function readRound(run: string, bytes: Uint8Array): RoundMessage {
  const own = ["format", "round", "values", "tasks", "lastRounds", "isFinished"];
  const allowed = [...own, "members", "stateOf", "histories", "checks"];
  const fields = readMessage(`round of run ${run}`, bytes, { most: MOST_MESSAGE_BYTES, allowed });
  fields.literal("format", FORMAT);
  return {
    round: fields.whole("round", 0, MOST_STEPS),
    values: readReference(fields.object("values", REFERENCE_FIELDS)),
    tasks: fields.list("tasks", MOST_WORKERS, readTask),
    lastRounds: byWorker(fields, "lastRounds", readUsed),
    members: readMembers(fields),
    stateOf: fields.list("stateOf", MOST_WORKERS, readWorker),
    histories: readReferenceOrNull(fields, "histories"),
    checks: fields.whole("checks", 0, MOST_CHECKS),
    isFinished: fields.flag("isFinished"),
  };
}

/** An object whose keys are ids of workers. */
function byWorker<Value>(
  fields: MessageFields,
  name: string,
  read: (values: MessageFields, worker: string) => Value,
): Record<string, Value> {
  const workers = Object.keys(fields.record(name, MEMBER, MOST_WORKERS));
  const values = fields.object(name, workers);
  return Object.fromEntries(workers.map((worker) => [worker, read(values, worker)] as const));
}

function readUsed(all: MessageFields, worker: string): UsedChange {
  const fields = all.object(worker, ["round", "digest"]);
  return { round: fields.whole("round", 0, MOST_STEPS), digest: fields.text("digest", VALUES_DIGEST) };
}

const readMembers = (fields: MessageFields): Record<string, string> =>
  byWorker(fields, "members", (members, worker) => members.text(worker, MEMBER));

function readWorker(value: unknown, where: string): string {
  return new MessageFields(where, { worker: value }, ["worker"]).text("worker", MEMBER);
}

const readReferenceOrNull = (fields: MessageFields, name: string): ObjectReference | null =>
  fields.isNull(name) ? null : readReference(fields.object(name, REFERENCE_FIELDS));

const TASK_FIELDS = ["worker", "range", "scheduleStep", "scheduleStride"] as const;

/** Checks a task. @throws MessageError */
export const readTask = (value: unknown, where: string): RoundTask =>
  taskIn(new MessageFields(where, value, TASK_FIELDS));

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
  /** The state of the optimizer after the round, if it was asked for. */
  readonly state: ObjectReference | null;
  /** How long the worker trained. */
  readonly trainMilliseconds: number;
}

/** Why a worker cannot do its task of a round. */
export interface TaskFailure {
  readonly round: number;
  readonly reason: string;
  /**
   * The number of checks of the round if the worker could not read an object of the coordinator: it tries again after the next one.
   * Null for other reasons, after which it does not try again.
   */
  readonly checks: number | null;
}

/** What a worker says every second. */
export interface MemberMessage {
  readonly member: string;
  /** For messages and tables. */
  readonly name: string;
  readonly version: string;
  /** What it has done last; null before its first round. */
  readonly change: StoredChange | null;
  /** Null if it can do its tasks. */
  readonly failure: TaskFailure | null;
}

export const memberBytes = (message: MemberMessage): Uint8Array => messageBytes({ format: FORMAT, ...message });

/** A name or a reason, as tables show it. */
const LINE = /^[^\p{C}]{1,400}$/u;

/** An error as a reason in a message. */
export const onOneLine = (reason: string): string => reason.replaceAll(/\p{C}/gu, " ").slice(0, 400);

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
    failure: fields.isNull("failure") ? null : readFailure(fields.object("failure", ["round", "reason", "checks"])),
  };
}

function readStoredChange(message: MessageFields): StoredChange {
  const names = [
    "round",
    "task",
    "ownStep",
    "examples",
    "loss",
    "type",
    "exponent",
    "object",
    "state",
    "trainMilliseconds",
  ];
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
    state: readReferenceOrNull(fields, "state"),
    trainMilliseconds: fields.whole("trainMilliseconds", 0, MOST_MILLISECONDS),
  };
}

const readFailure = (fields: MessageFields): TaskFailure => ({
  round: fields.whole("round", 0, MOST_STEPS),
  reason: fields.text("reason", LINE),
  checks: fields.isNull("checks") ? null : fields.whole("checks", 0, MOST_CHECKS),
});

/** What a participant did in a round, for reports. */
export interface ParticipantFacts {
  readonly trainMilliseconds: number;
  /** When the coordinator had read its change, from the start of the round. */
  readonly arrivedMilliseconds: number;
  /** The bytes that it sent: its change, and the state of its optimizer. */
  readonly sentBytes: number;
}

/** Why the change of a worker was not used: it was lost, it took too long, or it was refused. */
export const missingKinds = ["lost", "late", "refused"] as const;

/** A worker with a task whose change was not used. */
export interface MissingWorker {
  readonly name: string;
  readonly kind: (typeof missingKinds)[number];
  /** Why it was refused; null for the other kinds. */
  readonly reason: string | null;
}

/** The record of a round on the server, with everything that the next coordinator needs. */
export interface CommitRecord extends Commit {
  /** The number of steps that were committed, with this round. */
  readonly steps: number;
  readonly open: OpenSteps;
  /** The values before the round. */
  readonly start: ObjectReference;
  readonly values: ObjectReference;
  readonly velocity: ObjectReference;
  /** The process that wrote it. */
  readonly coordinator: string;
  /** The names of the participants by id. */
  readonly names: Readonly<Record<string, string>>;
  /** The processes that act as participants of other ids, by worker. */
  readonly members: Readonly<Record<string, string>>;
  /** The states of optimizers that were stored after the round, by worker. */
  readonly states: Readonly<Record<string, ObjectReference>>;
  /** How long the round took, until its values were stored. */
  readonly milliseconds: number;
  /** For each participant, by worker. */
  readonly facts: Readonly<Record<string, ParticipantFacts>>;
  readonly missing: Readonly<Record<string, MissingWorker>>;
}

export const commitBytes = (record: CommitRecord): Uint8Array => messageBytes({ format: FORMAT, ...record });

/** Checks a record. @throws MessageError */
export function readCommit(run: string, bytes: Uint8Array): CommitRecord {
  const own = [
    "format",
    "round",
    "innerSteps",
    "tasks",
    "participants",
    "digest",
    "steps",
    "open",
    "values",
    "velocity",
  ];
  const allowed = [...own, "start", "coordinator", "names", "members", "states", "milliseconds", "facts", "missing"];
  const fields = readMessage(`commit of run ${run}`, bytes, { most: MOST_MESSAGE_BYTES, allowed });
  fields.literal("format", FORMAT);
  return {
    round: fields.whole("round", 0, MOST_STEPS),
    innerSteps: fields.whole("innerSteps", 1, MOST_INNER_STEPS),
    tasks: fields.list("tasks", MOST_WORKERS, readTask),
    participants: fields.list("participants", MOST_WORKERS, readParticipation),
    digest: fields.text("digest", VALUES_DIGEST),
    steps: fields.whole("steps", 0, MOST_STEPS),
    open: fields.list("open", MOST_WORKERS * MOST_WORKERS, (value, where) =>
      rangeIn(new MessageFields(where, value, ["first", "count"])),
    ),
    start: readReference(fields.object("start", REFERENCE_FIELDS)),
    values: readReference(fields.object("values", REFERENCE_FIELDS)),
    velocity: readReference(fields.object("velocity", REFERENCE_FIELDS)),
    coordinator: fields.text("coordinator", MEMBER),
    names: byWorker(fields, "names", (names, worker) => names.text(worker, LINE)),
    members: readMembers(fields),
    states: byWorker(fields, "states", (states, worker) => readReference(states.object(worker, REFERENCE_FIELDS))),
    milliseconds: fields.whole("milliseconds", 0, MOST_MILLISECONDS),
    facts: byWorker(fields, "facts", readFacts),
    missing: byWorker(fields, "missing", readMissing),
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

function readFacts(all: MessageFields, worker: string): ParticipantFacts {
  const fields = all.object(worker, ["trainMilliseconds", "arrivedMilliseconds", "sentBytes"]);
  return {
    trainMilliseconds: fields.whole("trainMilliseconds", 0, MOST_MILLISECONDS),
    arrivedMilliseconds: fields.whole("arrivedMilliseconds", 0, MOST_MILLISECONDS),
    sentBytes: fields.whole("sentBytes", 0, Number.MAX_SAFE_INTEGER),
  };
}

function readMissing(all: MessageFields, worker: string): MissingWorker {
  const fields = all.object(worker, ["name", "kind", "reason"]);
  return {
    name: fields.text("name", LINE),
    kind: fields.oneOf("kind", missingKinds),
    reason: fields.isNull("reason") ? null : fields.text("reason", LINE),
  };
}
