/*
 * Objects of a run that the browser keeps, so that a tab that joins again need not fetch its data again.
 */
import { sha256 } from "../../cluster/messages.ts";
import type { ObjectReference } from "../../cluster/objects.ts";
import type { FetchObject } from "../../cluster/training/prepared/index.ts";

const NAME = "wgrad-lend";

/** Keeps the objects of the last run. */
export class KeptObjects {
  readonly #page: string;
  readonly #used = new Set<string>();

  /** @param page the address of the page; the objects have addresses below it */
  constructor(page: string) {
    this.#page = page;
  }

  /** Takes an object from the cache, or fetches it and keeps it if there is room. */
  async get(reference: ObjectReference, fetchObject: FetchObject): Promise<Uint8Array> {
    const cache = await caches.open(NAME).catch(() => undefined);
    const address = new URL(`lend-data/${reference.digest}`, this.#page).href;
    this.#used.add(address);
    const kept = await cache?.match(address).catch(() => undefined);
    if (kept) {
      const bytes = new Uint8Array(await kept.arrayBuffer());
      if ((await sha256(bytes)) === reference.digest) return bytes;
    }
    const bytes = await fetchObject(reference);
    await cache?.put(address, new Response(bytes.slice())).catch(() => undefined);
    return bytes;
  }

  /** Removes the objects of earlier runs. */
  async removeOthers(): Promise<void> {
    const cache = await caches.open(NAME).catch(() => undefined);
    for (const { url } of (await cache?.keys()) ?? []) if (!this.#used.has(url)) await cache!.delete(url);
  }
}
