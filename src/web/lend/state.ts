/*
 * What the page at `?lend` shows, and what its buttons do.
 */
import { batch, signal } from "@preact/signals";
import { proxy, wrap, type Remote } from "comlink";
import type { DeviceChoice } from "../../index.ts";
import type { DeviceInfo } from "../contract.ts";
import type { LendApi, LendEvent, Offers, Server } from "./contract.ts";

/** The device; undefined until it is open. */
export const device = signal<Omit<DeviceInfo, "mnist"> | undefined>(undefined);

/** Why there is no device. */
export const deviceFault = signal<string | undefined>(undefined);

/** What the tab does. */
export type Activity = "idle" | "connecting" | "fetching" | "waiting" | "training" | "leaving";

export const activity = signal<Activity>("idle");

/** What is open on the server; undefined before the first connection. */
export const offers = signal<Offers | undefined>(undefined);

/** What the tab was lent to last: a run, or the trials of sweeps. */
export type Work = { readonly kind: "run"; readonly name: string } | { readonly kind: "trials" };

export const joined = signal<Work | undefined>(undefined);

/** How the last run ended, or what went wrong. */
export const message = signal<{ readonly kind: "error" | "note"; readonly text: string } | undefined>(undefined);

/** What the tab has given. */
export interface Given {
  readonly rounds: number;
  readonly examples: number;
  /** The number of trials that it has finished, and the loss of the last of them on the examples held out. */
  readonly trials: number;
  readonly score: number | null;
  /** The trial in progress, and its steps so far. */
  readonly trial: string;
  readonly step: number;
  readonly totalSteps: number;
  readonly loss: number;
  readonly sent: number;
  readonly received: number;
}

const NOTHING: Given = {
  rounds: 0,
  examples: 0,
  trials: 0,
  score: null,
  trial: "",
  step: 0,
  totalSteps: 0,
  loss: NaN,
  sent: 0,
  received: 0,
};

export const given = signal(NOTHING);

/** For how many seconds the tab was in the background since it joined. */
export const hiddenSeconds = signal(0);

/** The name of this tab in the tables of a run. */
export const tabName = `tab-${crypto.getRandomValues(new Uint16Array(1))[0]!.toString(16).padStart(4, "0")}`;

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

let choice: DeviceChoice;
let worker: Worker;
let api: Remote<LendApi>;

/** Starts the worker and opens the device. */
export async function openDevice(wanted: DeviceChoice): Promise<void> {
  choice = wanted;
  worker = new Worker(new URL("./lend-worker.ts", import.meta.url), { type: "module" });
  worker.addEventListener("error", (event) => (deviceFault.value = `The worker failed: ${event.message}`));
  api = wrap<LendApi>(worker);
  try {
    device.value = await api.open(choice, new URL(".", location.href).href);
  } catch (error) {
    deviceFault.value = textOf(error);
  }
}

/** Distinguishes the current work from work that was stopped, whose worker may have failed since. */
let attempt = 0;

const fail = (error: unknown) => (message.value = { kind: "error", text: textOf(error) });

/** Connects to a server and lists what is open there. */
export async function connect(server: Server): Promise<void> {
  const own = ++attempt;
  batch(() => {
    activity.value = "connecting";
    offers.value = undefined;
    message.value = undefined;
  });
  try {
    const found = await api.connect(server);
    if (own === attempt) offers.value = found;
  } catch (error) {
    if (own === attempt) fail(error);
  }
  if (own === attempt) activity.value = "idle";
}

/** Trains parts of a run until it ends, or trials until the visitor stops. */
export async function lend(work: Work): Promise<void> {
  const own = ++attempt;
  batch(() => {
    activity.value = "fetching";
    joined.value = work;
    given.value = NOTHING;
    message.value = undefined;
  });
  watchVisibility();
  try {
    const report = (event: LendEvent) => own === attempt && take(event);
    if (work.kind === "trials") return await api.takeTrials(tabName, proxy(report));
    const end = await api.join(work.name, tabName, proxy(report));
    if (own !== attempt) return;
    const text = end === "finished" ? "The run has finished." : "Nobody coordinates this run any more.";
    batch(() => {
      message.value = { kind: "note", text: `${text} Thank you!` };
      offers.value = undefined;
    });
  } catch (error) {
    if (own === attempt) fail(error);
  } finally {
    if (own === attempt) {
      endWatch();
      activity.value = "idle";
    }
  }
}

/** The longest time that a tab takes to give its trial back. */
const LEAVE_MILLISECONDS = 3000;

/**
 * Stops: the worker ends, and its connection with it. What it has sent before stays part of the run. A trial in progress is
 * given back with a checkpoint, if that is soon done.
 */
export async function stop(): Promise<void> {
  attempt++;
  endWatch();
  const isTrial = joined.value?.kind === "trials";
  if (isTrial) {
    activity.value = "leaving";
    const late = new Promise<void>((resolve) => setTimeout(resolve, LEAVE_MILLISECONDS));
    await Promise.race([api.leave().catch(() => undefined), late]);
  }
  batch(() => {
    activity.value = "idle";
    offers.value = undefined;
    message.value = { kind: "note", text: `Stopped. This tab has left the ${isTrial ? "sweeps" : "run"}.` };
  });
  worker.terminate();
  await openDevice(choice);
}

function take(event: LendEvent): void {
  if (event.kind === "fetching") activity.value = "fetching";
  else if (event.kind === "joined" || event.kind === "idle") activity.value = "waiting";
  else if (event.kind === "note") message.value = { kind: "note", text: event.text };
  else {
    const { kind, ...numbers } = event;
    // What is known of the trial before does not hold for the next one.
    const before = kind === "trial" ? { ...given.value, totalSteps: 0, loss: NaN } : given.value;
    given.value = { ...before, ...numbers };
    if (kind === "round" || kind === "trial") activity.value = "training";
  }
}

let endWatch = () => {};

/** Counts the time in the background, until `endWatch` is called. */
function watchVisibility(): void {
  let since: number | undefined = document.hidden ? performance.now() : undefined;
  hiddenSeconds.value = 0;
  const changed = () => {
    if (since !== undefined) hiddenSeconds.value += (performance.now() - since) / 1000;
    since = document.hidden ? performance.now() : undefined;
  };
  document.addEventListener("visibilitychange", changed);
  endWatch = () => document.removeEventListener("visibilitychange", changed);
}
