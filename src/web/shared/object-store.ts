/*
 * Object stores of IndexedDB, with promises.
 */

/**
 * Runs work on a store in one transaction: all of it takes effect, or nothing.
 * @param work its error aborts the transaction
 * @returns the result of the request that `work` returns
 */
export type InStore = <Result>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<Result>,
) => Promise<Result>;

/**
 * A store in a database of the page's origin, which has only this store. It is created when it is first used. Its calls
 * reject with a DOMException if the browser stores nothing, or if the storage is full (QuotaExceededError).
 */
export const objectStore =
  (database: string, name: string, options?: IDBObjectStoreParameters): InStore =>
  async (mode, work) => {
    const db = await opened(database, name, options);
    try {
      const transaction = db.transaction(name, mode);
      const request = withAbort(transaction, work);
      await ended(transaction);
      return request.result;
    } finally {
      db.close();
    }
  };

function opened(database: string, name: string, options?: IDBObjectStoreParameters): Promise<IDBDatabase> {
  const request = indexedDB.open(database, 1);
  return new Promise((resolve, reject) => {
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(name, options));
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(reasonOf(request.error)));
  });
}

function withAbort<Result>(
  transaction: IDBTransaction,
  work: (store: IDBObjectStore) => IDBRequest<Result>,
): IDBRequest<Result> {
  try {
    return work(transaction.objectStore(transaction.objectStoreNames[0]!));
  } catch (error) {
    transaction.abort();
    throw error;
  }
}

/** Resolves when a transaction is complete, and rejects if it is aborted. */
const ended = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(reasonOf(transaction.error)));
  });

const reasonOf = (error: DOMException | null): Error => error ?? new Error("IndexedDB gave no reason");
