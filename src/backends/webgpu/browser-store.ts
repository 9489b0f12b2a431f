import type { TuningStore } from "./tuning-choices.ts";

const STORE = "choices";

/** The result of a request as a promise. */
function settled<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("IndexedDB gave no reason")));
  });
}

/**
 * Stores the tuner's choices in an IndexedDB database of the page's origin. If the browser does not allow it (some
 * private windows), loading and saving reject; a backend then uses rules of thumb and logs it.
 * @param database the name of the database, "wgrad-tuning" by default
 */
export function browserTuningStore(database = "wgrad-tuning"): TuningStore {
  const withStore = async <Value>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => IDBRequest<Value>,
  ): Promise<Value> => {
    const opening = indexedDB.open(database, 1);
    opening.addEventListener("upgradeneeded", () => opening.result.createObjectStore(STORE));
    const opened = await settled(opening);
    try {
      return await settled(work(opened.transaction(STORE, mode).objectStore(STORE)));
    } finally {
      opened.close();
    }
  };
  return {
    async load(key) {
      const text: unknown = await withStore("readonly", (store) => store.get(key));
      return text === undefined ? undefined : String(text);
    },
    async save(key, text) {
      await withStore("readwrite", (store) => store.put(text, key));
    },
  };
}
