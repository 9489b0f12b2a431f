/*
 * The description of a sweep, from which, with the stream of results, everything else is computed.
 */
import { messageBytes, MessageError, MessageFields, readMessage, nameOfBytes, requireNameOf } from "../messages.ts";
import { readReference, REFERENCE_FIELDS, type ObjectReference } from "../objects.ts";
import { OPTION, readDataReference, readRungs, VERSION, type DataReference, type Rungs } from "./trial.ts";

export interface SweepDescription {
  readonly version: string;
  /** The options that all trials share. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** The options in which each trial differs. */
  readonly runs: readonly Readonly<Record<string, unknown>>[];
  readonly data: readonly DataReference[];
  /** The rungs of successive halving; undefined if every trial is trained to its end. */
  readonly rungs: Rungs | undefined;
  /** The number of trials that wait or are in progress at a time, if there are rungs. */
  readonly parallel: number;
  /** The list of the runs as browsers train them; undefined if browsers train none. */
  readonly prepared?: ObjectReference;
}

const FORMAT = 1;
const FIELDS = ["format", "version", "configuration", "runs", "data", "rungs", "parallel", "prepared"] as const;

/** The largest description, below the default limit of a server for a message. */
const MOST_BYTES = 1_000_000;

const MOST_RUNS = 20_000;

/** The most trials that wait or are in progress at a time. */
export const MOST_PARALLEL = 10_000;

/** Writes a description, and names it by its digest. @throws MessageError if it is too large */
export async function describeSweep(sweep: SweepDescription): Promise<{ name: string; bytes: Uint8Array }> {
  const bytes = messageBytes({ format: FORMAT, ...sweep });
  if (bytes.length > MOST_BYTES || sweep.runs.length > MOST_RUNS) {
    const what = `the sweep has ${sweep.runs.length} trials and ${bytes.length} bytes of options`;
    const fix = `Use at most ${MOST_RUNS} trials and ${MOST_BYTES} bytes`;
    throw new MessageError({ where: "sweep", what, fix });
  }
  return { name: await nameOfBytes(bytes), bytes };
}

/** Checks a description. @throws MessageError for anything that `describeSweep` does not write */
export async function readDescription(name: string, bytes: Uint8Array): Promise<SweepDescription> {
  const where = `sweep ${name}`;
  const fields = readMessage(where, bytes, { most: MOST_BYTES, allowed: FIELDS });
  fields.literal("format", FORMAT);
  await requireNameOf(where, name, bytes);
  return {
    version: fields.text("version", VERSION),
    configuration: fields.record("configuration", OPTION, 200),
    runs: fields.list("runs", MOST_RUNS, readChanges),
    data: fields.list("data", 10, readDataReference),
    rungs: fields.has("rungs") ? readRungs(fields.object("rungs", ["count", "reduction"])) : undefined,
    parallel: fields.whole("parallel", 1, MOST_PARALLEL),
    ...(fields.has("prepared") && { prepared: readReference(fields.object("prepared", REFERENCE_FIELDS)) }),
  };
}

/** The largest list of prepared runs. */
const MOST_LIST_BYTES = 2 ** 23;

/** Writes the list of the runs of a sweep as browsers train them, in the order of the runs. */
export const preparedListBytes = (runs: readonly ObjectReference[]): Uint8Array =>
  messageBytes({ format: FORMAT, runs });

/** Checks such a list. @throws MessageError also if it does not have this number of runs */
export function readPreparedList(where: string, bytes: Uint8Array, count: number): ObjectReference[] {
  const fields = readMessage(where, bytes, { most: MOST_LIST_BYTES, allowed: ["format", "runs"] });
  fields.literal("format", FORMAT);
  const runs = fields.list("runs", MOST_RUNS, (value, each) =>
    readReference(new MessageFields(each, value, REFERENCE_FIELDS)),
  );
  if (runs.length !== count) throw new MessageError({ where, what: `it has ${runs.length} of ${count} runs` });
  return runs;
}

function readChanges(value: unknown, where: string): Record<string, unknown> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (isObject && Object.keys(value).every((option) => OPTION.test(option))) return { ...value };
  throw new MessageError({ where, what: "this is not an object of options" });
}
