/*
 * Large objects in a bucket of the server. NATS moves them in chunks; a reference has the digest and the size, which are
 * checked before the bytes are used.
 */
import type { ObjectStore } from "@nats-io/obj";
import type { NatsLink } from "./connection.ts";
import { DIGEST, MessageError, sha256, type MessageFields } from "./messages.ts";

/** An object did not arrive in time. It may later. */
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

/** Checks the fields of a reference in a message. @throws MessageError */
export function readReference(fields: MessageFields): ObjectReference {
  const { object, digest } = { object: fields.text("object", NAME), digest: fields.text("digest", DIGEST) };
  return { object, digest, bytes: fields.whole("bytes", 0, MOST_BYTES) };
}

/** The fields of a reference in a message. */
export const REFERENCE_FIELDS = ["object", "digest", "bytes"] as const;

/**
 * The longest wait for the contents of an object. The client waits forever for chunks that are gone, because the object was
 * replaced or the server ended while it was read.
 */
const READ_MILLISECONDS = 60_000;

/** A bucket of objects. */
export class ObjectBucket {
  readonly #store: ObjectStore;
  readonly #readMilliseconds: number;

  private constructor(store: ObjectStore, readMilliseconds: number) {
    [this.#store, this.#readMilliseconds] = [store, readMilliseconds];
  }

  /**
   * Opens a bucket that exists.
   * @param readMilliseconds the longest wait for the contents of an object; 60,000 by default
   */
  static async open(
    { packages, streams }: NatsLink,
    name: string,
    readMilliseconds = READ_MILLISECONDS,
  ): Promise<ObjectBucket> {
    return new ObjectBucket(await new packages.obj.Objm(streams).open(name, false), readMilliseconds);
  }

  /** Stores an object under a name, in place of an older one. */
  async put(name: string, bytes: Uint8Array): Promise<ObjectReference> {
    await this.#store.putBlob({ name }, bytes);
    return { object: name, digest: await sha256(bytes), bytes: bytes.length };
  }

  /**
   * Reads an object.
   * @throws ReadTimeoutError if it does not arrive in time; MessageError if there is none, or if it has another size or digest than the reference
   */
  async get({ object, digest, bytes }: ObjectReference): Promise<Uint8Array> {
    const refuse = (what: string) => new MessageError({ where: `object ${object}`, what });
    const info = await this.#store.info(object);
    if (!info || info.deleted) throw refuse("the server does not have it");
    // A link would read another bucket.
    if (info.options?.link) throw refuse("it is a link to another object");
    if (info.size !== bytes) throw refuse(`it has ${info.size} bytes, not ${bytes}`);
    const found = await this.#inTime(object, this.#store.getBlob(object));
    if (!found) throw refuse("the server does not have it");
    const actual = await sha256(found);
    if (actual !== digest) throw refuse(`its digest is ${actual}, not ${digest}`);
    return found;
  }

  async #inTime<Value>(object: string, reading: Promise<Value>): Promise<Value> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new ReadTimeoutError(object)), this.#readMilliseconds);
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
