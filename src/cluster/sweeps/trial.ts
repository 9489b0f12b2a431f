/*
 * What a worker is told to do. A trial is declarative: options of `wgrad train` by name, and digests of data sets.
 */
import { DIGEST, messageBytes, MessageError, MessageFields, readMessage } from "../messages.ts";
import { readReference, REFERENCE_FIELDS, type ObjectReference } from "../objects.ts";
import { ID, MOST_RUNGS, type TrialKey } from "./names.ts";

/** The largest message of a trial. */
export const MOST_TRIAL_BYTES = 64 * 1024;

/** The files that an option names. */
export interface DataReference {
  /** The name of the option, such as "csv". */
  readonly option: string;
  /** The digest of the list of files, which is the name of an object. */
  readonly digest: string;
  /** The size of that list. */
  readonly bytes: number;
}

/** How far successive halving trains a trial at a rung. */
export interface Rungs {
  /** The number of rungs. At the last one, a trial is trained to its end. */
  readonly count: number;
  /** At each rung but the first, a trial has made this many times the steps of the rung before. */
  readonly reduction: number;
}

/** The step at which a rung ends: the run's last step at the last rung, and `reduction` times fewer at each one before. */
export function stepsOfRung({ count, reduction }: Rungs, rung: number, totalSteps: number): number {
  return Math.max(1, Math.round(totalSteps / reduction ** (count - 1 - rung)));
}

/** A trial, or a part of one, as a message. */
export interface Trial extends TrialKey {
  /** The version of wgrad that wrote the message. Workers of other versions leave it to others. */
  readonly version: string;
  /** The values of options by name, among them the changes; each is checked against the schema of the options. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly data: readonly DataReference[];
  readonly rungs?: Rungs;
  /** The same trial as browsers train it; see `src/cluster/training/prepared`. */
  readonly prepared?: ObjectReference;
}

const FORMAT = 1;

const FIELDS = ["format", "version", "sweep", "trial", "rung", "configuration", "data", "rungs", "prepared"] as const;

/** A version as in package.json. */
export const VERSION = /^\d{1,5}\.\d{1,5}\.\d{1,5}(-[\w.]{1,30})?$/;

/** The names of options. */
export const OPTION = /^[a-z]\w{0,40}$/i;

const MOST_OPTIONS = 200;

/** Writes a trial. @throws MessageError if it is too large for a message */
export function trialBytes(trial: Trial): Uint8Array {
  const bytes = messageBytes({ format: FORMAT, ...trial });
  if (bytes.length <= MOST_TRIAL_BYTES) return bytes;
  const what = `its options have ${bytes.length} bytes, more than ${MOST_TRIAL_BYTES}`;
  throw new MessageError({ where: `trial ${trial.trial}`, what, fix: "Give shorter lists" });
}

/** Checks a trial. @throws MessageError for anything that `trialBytes` does not write */
export function readTrial(bytes: Uint8Array, key: TrialKey): Trial {
  const where = `trial ${key.trial}`;
  const fields = readMessage(where, bytes, { most: MOST_TRIAL_BYTES, allowed: FIELDS });
  fields.literal("format", FORMAT);
  fields.literal("sweep", key.sweep);
  fields.literal("trial", key.trial);
  fields.literal("rung", key.rung);
  const version = fields.text("version", VERSION);
  const configuration = fields.record("configuration", OPTION, MOST_OPTIONS);
  const data = fields.list("data", 10, readDataReference);
  const rungs = fields.has("rungs") ? readRungs(fields.object("rungs", ["count", "reduction"])) : undefined;
  if (key.rung >= (rungs?.count ?? 1)) throw new MessageError({ where, what: `there is no rung ${key.rung}` });
  const prepared = fields.has("prepared") ? readReference(fields.object("prepared", REFERENCE_FIELDS)) : undefined;
  return { ...key, version, configuration, data, ...(rungs && { rungs }), ...(prepared && { prepared }) };
}

/** Checks a reference to data. @throws MessageError */
export function readDataReference(value: unknown, where: string): DataReference {
  const fields = new MessageFields(where, value, ["option", "digest", "bytes"]);
  const digest = fields.text("digest", DIGEST);
  return { option: fields.text("option", OPTION), digest, bytes: fields.whole("bytes", 1, 2 ** 26) };
}

/** Checks rungs. @throws MessageError */
export function readRungs(fields: MessageFields): Rungs {
  return { count: fields.whole("count", 1, MOST_RUNGS), reduction: fields.whole("reduction", 2, 100) };
}

/** Checks the name of a sweep or a trial in a field. @throws MessageError */
export const readId = (fields: MessageFields, name: string): string => fields.text(name, ID);
