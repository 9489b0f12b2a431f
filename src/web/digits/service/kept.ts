/*
 * Keeps the network in the browser, so that a reload, a way back or a lost GPU does not lose it.
 */
import type { Normalization, Snapshot } from "../../../index.ts";
import type { KeptSummary } from "../contract.ts";
import type { DigitsSettings } from "../settings.ts";
import type { Course } from "./course.ts";

/** All that it takes to go on with a network. */
export interface KeptNetwork {
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  readonly settings: DigitsSettings;
  readonly snapshot: Snapshot;
  readonly course: Course;
  /** Time spent training it. */
  readonly seconds: number;
  readonly normalization: Normalization;
  /** Where the network came from a file, that file. */
  readonly file: { readonly name: string; readonly bytes: Uint8Array } | undefined;
  /** Of the test set, where it was looked at. */
  readonly accuracy: number | undefined;
}

/** Where networks are kept. */
export interface NetworkStore {
  /** The network that the last visit left. */
  earlier(): Promise<KeptNetwork | undefined>;
  /** Keeps the network of this visit in place of the one before. */
  save(network: KeptNetwork): Promise<void>;
}

export const summaryOf = ({ savedAt, snapshot, accuracy }: KeptNetwork): KeptSummary => ({
  savedAt,
  step: snapshot.step,
  accuracy,
});

const STORE = "networks";

/** What is kept now, and what the visit before left. */
const [PRESENT, EARLIER] = ["present", "earlier"];

/** A transaction's end, or its error. */
const ended = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error ?? new Error("IndexedDB gave no reason")));
  });

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open("wgrad-demo", 1);
  return new Promise((resolve, reject) => {
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE));
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("IndexedDB gave no reason")));
  });
}

/**
 * Keeps networks in an IndexedDB database of the page's origin. Both methods reject where the browser keeps nothing.
 * The first use sets aside what the visit before left, so that this visit does not overwrite it before it is asked for.
 */
export function browserNetworkStore(): NetworkStore {
  let setAside: Promise<void> | undefined;
  const withStore = async (work: (store: IDBObjectStore) => void): Promise<void> => {
    const db = await opened();
    try {
      const transaction = db.transaction(STORE, "readwrite");
      work(transaction.objectStore(STORE));
      await ended(transaction);
    } finally {
      db.close();
    }
  };
  const ready = () =>
    (setAside ??= withStore((store) => {
      const request = store.get(PRESENT);
      request.addEventListener("success", () => {
        if (request.result === undefined) return;
        store.put(request.result, EARLIER);
        store.delete(PRESENT);
      });
    }));
  return {
    async earlier() {
      await ready();
      let request: IDBRequest<KeptNetwork | undefined>;
      await withStore((store) => (request = store.get(EARLIER)));
      return request!.result;
    },
    async save(network) {
      await ready();
      await withStore((store) => store.put(network, PRESENT));
    },
  };
}
