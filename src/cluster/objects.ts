/*
 * Large objects in a bucket of the server. NATS moves them in chunks; a reference has the digest and the size, which are
 * checked before the bytes are used.
 */
import type { ObjectInfo, ObjectStore } from "@nats-io/obj";
import type { NatsLink } from "./connection.ts";
import { DIGEST, MessageError, sha256, type MessageFields } from "./messages.ts";
import { canContain, packed, unpacked } from "./packing.ts";

/** The parts of an object did not arrive in time, though the server has them. They may later. */
export class ReadTimeoutError extends Error {
  constructor(object: string) {
    super(`object ${object} did not arrive in time`);
  }
}

/** Names an object and its contents. */
export interface ObjectReference {
  readonly object: string;
  /** SHA-256 in hexadecimal. */
  readonly digest: string;
  readonly bytes: number;
}

/** The largest object: what one array of bytes can hold in all engines. */
const MOST_BYTES = 2 ** 31 - 1;

const NAME = /^[\w.-]{1,200}$/;

/** The name of the parts of an object, which is a part of their subject. */
const PARTS = /^\w{1,100}$/;

/** Checks the fields of a reference in a message. @throws MessageError */
export function readReference(fields: MessageFields): ObjectReference {
  const { object, digest } = { object: fields.text("object", NAME), digest: fields.text("digest", DIGEST) };
  return { object, digest, bytes: fields.whole("bytes", 0, MOST_BYTES) };
}

/** The fields of a reference in a message. */
export const REFERENCE_FIELDS = ["object", "digest", "bytes"] as const;

/**
 * The longest wait for the next part of an object. The client waits forever for parts that are gone, because the object was
 * replaced or the server ended while it was read.
 */
const READ_MILLISECONDS = 60_000;

/** The wait for a part after which the server is asked whether it still has all of them. */
const ASK_MILLISECONDS = 1000;

/** The time after which the server removes a consumer that counts parts, if this process does not. */
const COUNT_SECONDS = 10;

const refusal = (object: string, what: string) => new MessageError({ where: `object ${object}`, what });

/** Whether it is an error of the client about what is stored. Those of the connection have classes of their own. */
const isFault = (error: unknown): error is Error =>
  error instanceof Error && [Error, TypeError, SyntaxError].some((type) => error.constructor === type);

async function requireDigest({ object, digest }: ObjectReference, bytes: Uint8Array): Promise<Uint8Array> {
  const actual = await sha256(bytes);
  if (actual !== digest) throw refusal(object, `its digest is ${actual}, not ${digest}`);
  return bytes;
}

/** A bucket of objects. */
export class ObjectBucket {
  readonly #link: NatsLink;
  readonly #name: string;
  readonly #store: ObjectStore;
  readonly #readMilliseconds: number;

  private constructor(link: NatsLink, name: string, store: ObjectStore, readMilliseconds: number) {
    [this.#link, this.#name, this.#store, this.#readMilliseconds] = [link, name, store, readMilliseconds];
  }

  /**
   * Opens a bucket that exists.
   * @param readMilliseconds the longest wait for the next part of an object; 60,000 by default
   */
  static async open(link: NatsLink, name: string, readMilliseconds = READ_MILLISECONDS): Promise<ObjectBucket> {
    const { packages, streams } = link;
    return new ObjectBucket(link, name, await new packages.obj.Objm(streams).open(name, false), readMilliseconds);
  }

  /** Stores an object under a name, in place of an older one. */
  async put(name: string, bytes: Uint8Array): Promise<ObjectReference> {
    await this.#store.putBlob({ name }, bytes);
    return { object: name, digest: await sha256(bytes), bytes: bytes.length };
  }

  /**
   * Compresses and stores an object under its digest, unless all of it is there. The digest and the size are those of the contents,
   * because archives of the same contents differ between versions of the compressor.
   */
  async putPacked(bytes: Uint8Array): Promise<ObjectReference> {
    const digest = await sha256(bytes);
    const object = `${digest}.gz`;
    if (!(await this.#hasAll(object))) await this.#store.putBlob({ name: object }, await packed(bytes));
    return { object, digest, bytes: bytes.length };
  }

  /**
   * Reads an object.
   * @throws ReadTimeoutError if its next part does not arrive in time; MessageError if there is none, if the server has lost
   * parts of it, or if it has another size or digest than the reference
   */
  async get(reference: ObjectReference): Promise<Uint8Array> {
    const { object, bytes } = reference;
    const found = await this.#contents(object, (size) => size === bytes || `it has ${size} bytes, not ${bytes}`);
    return requireDigest(reference, found);
  }

  /** Reads an object that was stored by `putPacked`. @throws as `get` does, and MessageError for a damaged archive */
  async getPacked(reference: ObjectReference): Promise<Uint8Array> {
    const { object, bytes } = reference;
    const archive = await this.#contents(
      object,
      (size) => canContain(size, bytes) || `an archive of ${size} bytes cannot contain ${bytes} bytes`,
    );
    const found = await unpacked(archive, bytes);
    if (!found) throw refusal(object, `it is not an archive of ${bytes} bytes`);
    return requireDigest(reference, found);
  }

  /** @param check returns true, or what is wrong with a size */
  async #contents(object: string, check: (size: number) => true | string): Promise<Uint8Array> {
    try {
      return await this.#checkedContents(object, check);
    } catch (error) {
      throw isFault(error) ? refusal(object, `it is damaged (${error.message.split("\n")[0]})`) : error;
    }
  }

  async #checkedContents(object: string, check: (size: number) => true | string): Promise<Uint8Array> {
    const info = await this.#store.info(object);
    if (!info || info.deleted) throw refusal(object, "the server does not have it");
    // A link would read another bucket.
    if (info.options?.link) throw refusal(object, "it is a link to another object");
    const fault = check(info.size);
    if (fault !== true) throw refusal(object, fault);
    if (!PARTS.test(info.nuid)) throw refusal(object, "its parts have no valid name");
    try {
      return await this.#read(object, info);
    } catch (error) {
      if (error instanceof ReadTimeoutError || isFault(error)) await this.#requireParts(object, info);
      throw error;
    }
  }

  async #read(object: string, info: ObjectInfo): Promise<Uint8Array> {
    const { size } = info;
    const found = await this.#inTime(object, this.#store.get(object));
    if (!found) throw refusal(object, "the server does not have it");
    // The stream of the contents fails with the same error.
    found.error.catch(() => {});
    const reader = found.data.getReader();
    const contents = new Uint8Array(size);
    let length = 0;
    try {
      for (;;) {
        const { done, value } = await this.#part(object, info, reader.read());
        if (done) return contents.subarray(0, length);
        if (length + value.length > size) throw refusal(object, `it has more than ${size} bytes`);
        contents.set(value, length);
        length += value.length;
      }
    } finally {
      // Otherwise the client goes on waiting for the parts.
      await reader.cancel().catch(() => {});
    }
  }

  /** Waits for a part, and early finds out that the server has lost some. @throws as `get` does */
  async #part<Part>(object: string, info: ObjectInfo, reading: Promise<Part>): Promise<Part> {
    const rest = this.#readMilliseconds - ASK_MILLISECONDS;
    if (rest <= 0) return this.#inTime(object, reading);
    try {
      return await this.#inTime(object, reading, ASK_MILLISECONDS);
    } catch (error) {
      if (!(error instanceof ReadTimeoutError)) throw error;
    }
    await this.#requireParts(object, info).catch((error: unknown) => {
      // Otherwise the server cannot be reached. It may be back in time.
      if (error instanceof MessageError) throw error;
    });
    return this.#inTime(object, reading, rest);
  }

  /**
   * Counts the parts of an object that could not be read, because a wait for parts that are gone has no end.
   * @throws MessageError if the server does not have all of them; an error of the connection if the server does not answer
   */
  async #requireParts(object: string, { nuid, chunks }: ObjectInfo): Promise<void> {
    const found = await this.#countParts(nuid);
    if (found >= chunks) return;
    // The parts of an object that was replaced or removed since are gone, too. The next attempt reads what is there now.
    const now = await this.#store.info(object);
    if (now && !now.deleted && now.nuid === nuid)
      throw refusal(object, `the server has lost parts of it: it has ${found} of ${chunks}`);
  }

  /** Whether the server has an object with all of its parts. */
  async #hasAll(object: string): Promise<boolean> {
    const info = await this.#store.info(object);
    if (!info || info.deleted || !PARTS.test(info.nuid)) return false;
    return (await this.#countParts(info.nuid)) >= info.chunks;
  }

  /** The number of parts of this name. A worker may create consumers, but may not ask for the state of a stream. */
  async #countParts(nuid: string): Promise<number> {
    const { consumers } = this.#link.manager;
    const { jetstream, transport } = this.#link.packages;
    const { DeliverPolicy, AckPolicy } = jetstream;
    const stream = `OBJ_${this.#name}`;
    const { name, num_pending: count } = await consumers.add(stream, {
      name: transport.nuid.next(),
      filter_subject: `$O.${this.#name}.C.${nuid}`,
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.None,
      mem_storage: true,
      inactive_threshold: COUNT_SECONDS * 1e9,
    });
    await consumers.delete(stream, name).catch(() => false);
    return count;
  }

  async #inTime<Value>(object: string, reading: Promise<Value>, milliseconds = this.#readMilliseconds): Promise<Value> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new ReadTimeoutError(object)), milliseconds);
    });
    // If it fails later, nobody waits for it any more.
    reading.catch(() => {});
    return Promise.race([reading, timeout]).finally(() => clearTimeout(timer));
  }

  /** Whether the bucket has an object of this name. */
  async has(name: string): Promise<boolean> {
    const info = await this.#store.info(name);
    return info !== null && !info.deleted;
  }

  /** Removes an object, if there is one. */
  async remove(name: string): Promise<void> {
    if (await this.has(name)) await this.#store.delete(name);
  }

  /** The names of all objects that begin with a prefix. */
  async names(prefix: string): Promise<string[]> {
    const all = await this.#store.list();
    return all.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  }
}
