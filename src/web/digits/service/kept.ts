/*
 * Saves the network in the browser, so that it survives a reload, navigation and the loss of the GPU.
 */
import type { Normalization, Snapshot } from "../../../index.ts";
import { objectStore } from "../../shared/object-store.ts";
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

/** The keys of this visit's network and of the previous visit's. */
const [PRESENT, EARLIER] = ["present", "earlier"];

/**
 * Stores networks in an IndexedDB database of the page's origin. Both methods reject if the browser stores nothing.
 * The first call moves the previous visit's network to a key of its own, so that this visit does not overwrite it.
 */
export function browserNetworkStore(): NetworkStore {
  const inStore = objectStore("wgrad-demo", "networks");
  let setAside: Promise<unknown> | undefined;
  const ready = () =>
    (setAside ??= inStore("readwrite", (store) => {
      const request = store.get(PRESENT);
      request.addEventListener("success", () => {
        if (request.result === undefined) return;
        store.put(request.result, EARLIER);
        store.delete(PRESENT);
      });
      return request;
    }));
  return {
    async earlier() {
      await ready();
      return inStore<KeptNetwork | undefined>("readonly", (store) => store.get(EARLIER));
    },
    async save(network) {
      await ready();
      await inStore("readwrite", (store) => store.put(network, PRESENT));
    },
  };
}
