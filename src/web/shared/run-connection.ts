/*
 * The page's side of a tab that has one run at a time: sends requests, and passes on events that are not outdated.
 */
import { batch, type Signal } from "@preact/signals";
import * as Comlink from "comlink";
import type { Comparison } from "./comparison-contract.ts";
import { connectWhenLoaded } from "./connect.ts";
import { Requests, type Stamp } from "./requests.ts";
import type { RunApi, RunEvent, StepDispatches } from "./run-contract.ts";

/** An error or a note, as a sentence. */
export interface Message {
  readonly kind: "error" | "note";
  readonly text: string;
}

/** The signals that each such tab has. */
export interface RunSignals {
  /** Whether the visitor wants training to run. The worker's report of it counts only if it had received all requests. */
  readonly running: Signal<boolean>;
  readonly message: Signal<Message | undefined>;
  /** Whether the GPU is lost for good, so that only the CPU is left. */
  readonly deviceGone: Signal<boolean>;
}

export interface RunConnectionOptions<Event> {
  readonly signals: RunSignals;
  /** Takes an event of the tab. */
  readonly take: (event: Event) => void;
  /** Sends what the visitor changes. Called when the tab is connected; returns a function that ends it. */
  readonly connected: () => () => void;
}

const slow = matchMedia("(prefers-reduced-motion: reduce)");

/** The connection of a tab to the worker. `Own` has the calls that only this tab has. */
export class RunConnection<Settings, Event extends { readonly kind: string }, Own = object> {
  readonly requests = new Requests();
  /** The worker's side; undefined while the tab is hidden. */
  worker: (RunApi<Settings, Event> & Own) | undefined;
  readonly #options: RunConnectionOptions<Exclude<Event, RunEvent>>;

  constructor(options: RunConnectionOptions<Exclude<Event, RunEvent>>) {
    this.#options = options;
  }

  /** Connects the tab. Returns a function that disconnects it and pauses the training. */
  readonly connect = (opening: Promise<RunApi<Settings, Event> & Own>): (() => void) =>
    connectWhenLoaded(
      opening,
      (api) => this.#connectTo(api),
      (text) => (this.#options.signals.message.value = { kind: "error", text }),
    );

  /** What the buttons and keys do. They do nothing while the tab is hidden. */
  readonly commands = {
    /** Starts or pauses. */
    toggle: (): void => {
      const { running } = this.#options.signals;
      running.value = !running.value;
      void (running.value ? this.worker?.start(this.requests.next()) : this.worker?.pause(this.requests.next()));
    },
    /** Pauses and runs one step. */
    step: (): void => {
      this.#options.signals.running.value = false;
      void this.worker?.step(this.requests.next());
    },
    /** Starts over. */
    reset: (): void => void this.worker?.reset(this.requests.replace()),
  };

  /** Continues with the last saved weights on a newly opened device. */
  readonly resume = (starts: boolean): void => {
    if (!this.worker) return;
    const { running } = this.#options.signals;
    const run = starts || running.value;
    running.value = run;
    void this.worker.resume(this.requests.replace(), run);
  };

  /** What each network of the run dispatches for a step; nothing while the tab is hidden. */
  readonly dispatches = async (): Promise<readonly StepDispatches[]> => (await this.worker?.dispatches()) ?? [];

  readonly compare = async (steps: number): Promise<Comparison | undefined> => this.worker?.compare(steps);

  readonly cancelComparison = (): void => void this.worker?.cancelComparison();

  /** Sends the settings. */
  configure(settings: Settings): void {
    void this.worker?.configure(this.requests.next(), settings);
  }

  /** Removes the error of an earlier run. Called when a run has begun. */
  begun(): void {
    const { message, deviceGone } = this.#options.signals;
    if (message.value?.kind === "error") message.value = undefined;
    deviceGone.value = false;
  }

  #connectTo(api: RunApi<Settings, Event> & Own): () => void {
    this.worker = api;
    void api.subscribe(Comlink.proxy((event: Event | RunEvent, stamp: Stamp) => this.#receive(event, stamp)));
    void api.show(this.requests.next(), true);
    const setFrameTime = () => void api.setFrameTime(slow.matches ? 1000 : 100);
    setFrameTime();
    slow.addEventListener("change", setFrameTime);
    const disconnect = this.#options.connected();
    if (this.#options.signals.running.value) void api.start(this.requests.next());
    return () => {
      slow.removeEventListener("change", setFrameTime);
      disconnect();
      void api.show(this.requests.next(), false);
      this.worker = undefined;
    };
  }

  #receive(event: Event | RunEvent, stamp: Stamp): void {
    const { running, message, deviceGone } = this.#options.signals;
    if (isOf(event, "running")) {
      if (this.requests.isUpToDate(stamp)) running.value = event.running;
      return;
    }
    if (isOf(event, "idle")) return this.requests.takeIdle(stamp);
    if (!this.requests.concerns(stamp)) return;
    batch(() => {
      if (isOf(event, "recovery")) {
        const text = `The device was lost (${event.reason}) and replaced. Training continues.`;
        message.value = { kind: "note", text };
      } else if (isOf(event, "error")) {
        message.value = { kind: "error", text: event.message };
        deviceGone.value = event.deviceGone;
      } else this.#options.take(event as Exclude<Event, RunEvent>);
    });
  }
}

const isOf = <Kind extends RunEvent["kind"]>(
  event: { readonly kind: string },
  kind: Kind,
): event is Extract<RunEvent, { kind: Kind }> => event.kind === kind;
