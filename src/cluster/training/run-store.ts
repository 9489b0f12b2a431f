/*
 * What the server keeps of a shared run: its description, the log of its rounds, and the values after the last of them.
 */
import type { NatsLink } from "../connection.ts";
import { FencedLog, type LogRules } from "../fenced-log.ts";
import { MessageError } from "../messages.ts";
import { ObjectBucket, type ObjectReference } from "../objects.ts";
import { storedDescription, storeDescription } from "../stored-descriptions.ts";
import {
  commitBytes,
  describeRun,
  readCommit,
  readRunDescription,
  type CommitRecord,
  type RunDescription,
} from "./messages.ts";
import {
  cancelledKey,
  CHANGES,
  commitSubject,
  COMMITS,
  descriptionKey,
  ID,
  objectBucket,
  objectName,
  openKey,
  RUNS,
  VALUES,
} from "./names.ts";

const placeOf = (name: string) => ({ bucket: RUNS, key: descriptionKey(name) });

const bucketOf = ({ packages, streams }: NatsLink) => new packages.kv.Kvm(streams).open(RUNS);

/** Stores a description, unless the server has it, and lets workers join. @returns the name of the run */
export async function storeRun(link: NatsLink, description: RunDescription): Promise<string> {
  const { name, bytes } = await describeRun(description);
  await storeDescription(link, placeOf(name), bytes);
  const runs = await bucketOf(link);
  await runs.delete(cancelledKey(name));
  await runs.put(openKey(name), "");
  return name;
}

/** Reads a description. @throws DataError if the server does not have it; MessageError if it is damaged */
export async function loadRun(link: NatsLink, name: string): Promise<RunDescription> {
  const fix = "Check the name, which `wgrad train` printed";
  return readRunDescription(name, await storedDescription(link, placeOf(name), { kind: "run", name, fix }));
}

/** Lets no more workers join. */
export async function closeRun(link: NatsLink, name: string): Promise<void> {
  await (await bucketOf(link)).delete(openKey(name));
}

/** Whether the server has a run of this name. */
export async function hasRun(link: NatsLink, name: string): Promise<boolean> {
  return (await (await bucketOf(link)).get(descriptionKey(name)))?.operation === "PUT";
}

/** The names of the runs that workers may join. */
export async function openRuns(link: NatsLink): Promise<string[]> {
  const names: string[] = [];
  for await (const key of await (await bucketOf(link)).keys("open.*")) names.push(key.slice("open.".length));
  return names.filter((name) => ID.test(name)).sort();
}

/** The records so far, in their order. */
export interface LogState {
  readonly commits: readonly CommitRecord[];
}

/** The rules of the log: each record follows the one before it. */
export const commitRules = (run: string): LogRules<LogState> => ({
  initial: { commits: [] },
  next(state, message) {
    try {
      const record = readCommit(run, message);
      const follows = record.round === state.commits.length;
      return follows ? { commits: [...state.commits, record] } : state;
    } catch (error) {
      if (error instanceof MessageError) return state;
      throw error;
    }
  },
});

/** The longest wait for an object. */
const READ_MILLISECONDS = 20_000;

/** A vector as it is stored. */
export const vectorBytes = (vector: Float32Array): Uint8Array =>
  new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);

/** The log and the objects of a run. */
export class RunStore {
  readonly #run: string;
  readonly #log: FencedLog<LogState>;
  readonly #buckets: ReadonlyMap<string, ObjectBucket>;

  private constructor(run: string, log: FencedLog<LogState>, buckets: ReadonlyMap<string, ObjectBucket>) {
    [this.#run, this.#log, this.#buckets] = [run, log, buckets];
  }

  static async open(link: NatsLink, run: string): Promise<RunStore> {
    const log = new FencedLog(link, { stream: COMMITS, subject: commitSubject(run) }, commitRules(run));
    const buckets = new Map<string, ObjectBucket>();
    for (const name of [VALUES, CHANGES]) buckets.set(name, await ObjectBucket.open(link, name, READ_MILLISECONDS));
    return new RunStore(run, log, buckets);
  }

  /** All records so far. */
  async commits(): Promise<readonly CommitRecord[]> {
    return (await this.#log.read()).commits;
  }

  /**
   * Appends a record.
   * @throws LeaseLostError if another process has appended one since the last reading
   */
  append(record: CommitRecord, signal: AbortSignal): Promise<void> {
    return this.#log.append(commitBytes(record), ({ commits }) => commits.length === record.round, signal);
  }

  /** Stores a vector. */
  putVector(
    kind: "values" | "velocity",
    { round, owner }: { round: number; owner: string },
    vector: Float32Array,
  ): Promise<ObjectReference> {
    return this.#put(objectName(this.#run, kind, round, owner), vectorBytes(vector));
  }

  /** Reads a vector. @throws MessageError if it is missing, damaged, of another size, or not finite */
  async vector(reference: ObjectReference, size: number): Promise<Float32Array> {
    const bytes = await this.get(reference);
    const refuse = (what: string) => new MessageError({ where: `object ${reference.object}`, what });
    if (bytes.length !== 4 * size) throw refuse(`it has ${bytes.length} bytes for ${size} values`);
    const vector = new Float32Array(new Uint8Array(bytes).buffer);
    if (vector.every(Number.isFinite)) return vector;
    throw refuse("it has a value that is not finite");
  }

  /** Stores the change of a worker, the state of its optimizer, or the histories of workers. */
  putBytes(
    kind: "change" | "state" | "histories",
    { round, owner }: { round: number; owner: string },
    bytes: Uint8Array,
  ): Promise<ObjectReference> {
    return this.#put(objectName(this.#run, kind, round, owner), bytes);
  }

  /**
   * Stores an object again that the server has lost.
   * @param rounds the number of records that the log has, as far as this process knows
   * @throws LeaseLostError if another process has appended one: this one must not store objects of the run any more
   */
  async putAgain({ object }: ObjectReference, bytes: Uint8Array, rounds: number): Promise<void> {
    await this.#log.requireMine(({ commits }) => commits.length === rounds);
    await this.#put(object, bytes);
  }

  get(reference: ObjectReference): Promise<Uint8Array> {
    return this.#bucketOf(reference.object).get(reference);
  }

  /** Removes the objects of rounds before one, except some. */
  async removeBefore(round: number, kept: ReadonlySet<string>): Promise<void> {
    for (const bucket of this.#buckets.values())
      for (const name of await bucket.names(`${this.#run}.`))
        if (Number(name.split(".")[1]) < round && !kept.has(name)) await bucket.remove(name);
  }

  #put(object: string, bytes: Uint8Array): Promise<ObjectReference> {
    return this.#bucketOf(object).put(object, bytes);
  }

  #bucketOf(object: string): ObjectBucket {
    return this.#buckets.get(objectBucket(object))!;
  }
}
