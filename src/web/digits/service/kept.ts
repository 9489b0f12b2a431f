/*
 * Saves the network in the browser, so that it survives a reload, navigation and the loss of the GPU.
 */
import type { Normalization, Snapshot } from "../../../index.ts";
import type { KeptSummary } from "../contract.ts";
import type { DigitsSettings } from "../settings.ts";
import type { Course } from "./course.ts";

/** Everything that is needed to continue training a network. */
export interface KeptNetwork {
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  readonly settings: DigitsSettings;
  readonly snapshot: Snapshot;
  readonly course: Course;
  /** The time spent training it, in seconds. */
  readonly seconds: number;
  readonly normalization: Normalization;
  /** The file that the network came from, if any. */
  readonly file: { readonly name: string; readonly bytes: Uint8Array } | undefined;
  /** The accuracy on the test set, if it is known. */
  readonly accuracy: number | undefined;
}

/** Stores networks between visits. */
export interface NetworkStore {
  /** The network that the previous visit saved. */
  earlier(): Promise<KeptNetwork | undefined>;
  /** Saves the network of this visit and replaces the one saved before. */
  save(network: KeptNetwork): Promise<void>;
}

export const summaryOf = ({ savedAt, snapshot, accuracy }: KeptNetwork): KeptSummary => ({
  savedAt,
  step: snapshot.step,
  accuracy,
});

const STORE = "networks";

/** The keys of this visit's network and of the previous visit's. */
const [PRESENT, EARLIER] = ["present", "earlier"];

/** Resolves when a transaction is complete, and rejects if it is aborted. */
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
 * Stores networks in an IndexedDB database of the page's origin. Both methods reject if the browser stores nothing.
 * The first call moves the previous visit's network to a key of its own, so that this visit does not overwrite it.
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
