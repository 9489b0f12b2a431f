/*
 * Stores the drawings that visitors keep in an IndexedDB database of the page's origin. The page and the worker use it.
 */
import { DataError } from "../../../index.ts";
import { objectStore } from "../../shared/object-store.ts";
import { DATABASE } from "./database.ts";

/** A drawing as the network sees it, and what it is. */
export interface LabeledDrawing {
  /** 0 … 9. */
  readonly label: number;
  /** 784 bytes, 0 (background) … 255 (ink). */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

export interface StoredDrawing extends LabeledDrawing {
  /** Counts up, so that drawings are in the order in which they were kept. */
  readonly id: number;
}

/** The most drawings: their gallery and readings stay quick, and a class of thirty draws a tenth of them. */
export const MOST_DRAWINGS = 5000;

const inStore = objectStore(DATABASE, "drawings", { keyPath: "id", autoIncrement: true });

/** All drawings, the first kept first. @throws DataError if the browser does not let the page store anything */
export const storedDrawings = (): Promise<StoredDrawing[]> =>
  asRefusal(
    inStore<StoredDrawing[]>("readonly", (store) => store.getAll()),
    "drawings cannot be kept",
  );

/**
 * Stores all of some drawings, or none. A drawing that was stored before keeps its ID.
 * @returns the drawings with their IDs
 * @throws DataError if the storage is full or forbidden
 */
export async function storeDrawings(drawings: readonly (LabeledDrawing | StoredDrawing)[]): Promise<StoredDrawing[]> {
  const requests: IDBRequest<IDBValidKey>[] = [];
  const put = (store: IDBObjectStore) => {
    for (const drawing of drawings) requests.push(store.put(drawing));
    return requests.at(-1)!;
  };
  if (drawings.length > 0) await asRefusal(inStore("readwrite", put), "nothing was kept");
  return drawings.map((drawing, index) => ({ ...drawing, id: requests[index]!.result as number }));
}

/** Removes drawings. @throws DataError if the browser refuses */
export async function removeDrawings(ids: readonly number[]): Promise<void> {
  const remove = (store: IDBObjectStore) => ids.map((id) => store.delete(id)).at(-1)!;
  if (ids.length > 0) await asRefusal(inStore("readwrite", remove), "nothing was removed");
}

/** @param consequence what the failure means for the drawings */
async function asRefusal<Result>(work: Promise<Result>, consequence: string): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    const { name = "", message = String(cause) } = cause instanceof Error ? cause : {};
    const isFull = name === "QuotaExceededError";
    throw new DataError(
      {
        where: "Drawings",
        what: isFull
          ? `the browser's storage is full, so ${consequence}`
          : `the browser does not store anything for this page (${message}), so ${consequence}`,
        fix: isFull
          ? "Export the drawings and remove some, or free space on the disk"
          : "Allow this site to store data, or leave the private window",
      },
      { cause },
    );
  }
}
