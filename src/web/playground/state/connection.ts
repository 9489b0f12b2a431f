/*
 * The connection of the Playground tab to its worker: sends requests, and turns the worker's events into signals.
 */
import { batch, effect, type Signal } from "@preact/signals";
import * as Comlink from "comlink";
import { Comparison } from "../../shared/comparison-state.ts";
import { connectWhenLoaded } from "../../shared/connect.ts";
import { Requests, type Stamp } from "../../shared/requests.ts";
import type { StepDispatches } from "../../shared/run-contract.ts";
import type { Frame, ParameterPlace, PlaygroundApi, PlaygroundEvent } from "../contract.ts";
import {
  currentConfig,
  deviceGone,
  emptyHistory,
  frame,
  history,
  message,
  path,
  problem,
  running,
  spokenFrame,
  unitsFrame,
} from "./signals.ts";

/**
 * About as many as a chart has pixels. Beyond that, every other record is dropped. The losses are those of all points,
 * without the noise of batches, so there is no need to average them.
 */
const MOST_RECORDS = 800;

/** Beyond this, the oldest points of a path are dropped. */
const MOST_PATH_NUMBERS = 4000;

/** Settings that change faster than this, as while a slider moves, are sent together. */
const SETTLE_MILLISECONDS = 120;

let worker: Comlink.Remote<PlaygroundApi> | undefined;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Sends the settings that are still waiting, so that a command does not overtake them. */
let sendSettings = () => {};

const requests = new Requests();

export const { idle } = requests;

/** Limits how often a signal changes while training runs. */
function seldom(target: Signal<Frame | undefined>, milliseconds: number): (next: Frame) => void {
  let last = -Infinity;
  return (next) => {
    const now = performance.now();
    if (running.value && now - last < milliseconds) return;
    target.value = next;
    last = now;
  };
}

const showSpoken = seldom(spokenFrame, 1000);
const showUnits = seldom(unitsFrame, 120);

function receive(event: PlaygroundEvent, stamp: Stamp): void {
  if (event.kind === "running") {
    if (requests.isUpToDate(stamp)) running.value = event.running;
    return;
  }
  if (event.kind === "idle") return requests.takeIdle(stamp);
  if (!requests.concerns(stamp)) return;
  switch (event.kind) {
    case "problem":
      batch(() => takeProblem(event));
      return;
    case "frame":
      batch(() => record(event.frame));
      return;
    case "recovery":
      message.value = { kind: "note", text: `The device was lost (${event.reason}) and replaced. Training continues.` };
      return;
    case "error":
      message.value = { kind: "error", text: event.message };
      deviceGone.value = event.deviceGone;
  }
}

function takeProblem({ mode, fresh, problem: next }: Extract<PlaygroundEvent, { kind: "problem" }>): void {
  problem.value = { ...next, mode };
  if (message.value?.kind === "error") message.value = undefined;
  deviceGone.value = false;
  if (!fresh) return;
  history.value = emptyHistory();
  path.value = [];
  frame.value = spokenFrame.value = unitsFrame.value = undefined;
}

function record(next: Frame): void {
  frame.value = next;
  showSpoken(next);
  showUnits(next);
  if (next.path.length > 0) path.value = [...path.value, ...next.path].slice(-MOST_PATH_NUMBERS);
  const { steps, losses, testLosses } = history.value;
  if (steps.at(-1) === next.step) return;
  steps.push(next.step);
  losses.push(next.loss);
  testLosses.push(next.testLoss);
  if (steps.length > MOST_RECORDS) for (const values of [steps, losses, testLosses]) keepEveryOther(values);
  history.value = { steps, losses, testLosses };
}

function keepEveryOther(values: number[]): void {
  const kept = values.filter((_, index) => index % 2 === 0);
  values.splice(0, values.length, ...kept);
}

/** Connects the tab. Returns a function that disconnects it and pauses the training. */
export const connect = (opening: Promise<Comlink.Remote<PlaygroundApi>>): (() => void) =>
  connectWhenLoaded(opening, connectTo, (text) => (message.value = { kind: "error", text }));

/** Sends settings as they change, and lets the training run. Returns a function that ends both. */
function connectTo(api: Comlink.Remote<PlaygroundApi>): () => void {
  worker = api;
  void api.subscribe(Comlink.proxy(receive));
  void api.show(requests.next(), true);
  const slow = matchMedia("(prefers-reduced-motion: reduce)");
  const setFrameTime = () => void api.setFrameTime(slow.matches ? 500 : 40);
  setFrameTime();
  slow.addEventListener("change", setFrameTime);
  const stop = effect(() => {
    const config = currentConfig.value;
    clearTimeout(timer);
    sendSettings = () => {
      clearTimeout(timer);
      sendSettings = () => {};
      void api.configure(requests.replace(), config);
    };
    timer = setTimeout(() => sendSettings(), SETTLE_MILLISECONDS);
  });
  sendSettings();
  if (running.value) void api.start(requests.next());
  return () => {
    slow.removeEventListener("change", setFrameTime);
    clearTimeout(timer);
    sendSettings = () => {};
    stop();
    void api.show(requests.next(), false);
    worker = undefined;
  };
}

/** What the buttons and keys do. They do nothing while the tab is hidden. */
export const playgroundCommands = {
  /** Starts or pauses. */
  toggle(): void {
    sendSettings();
    running.value = !running.value;
    void (running.value ? worker?.start(requests.next()) : worker?.pause(requests.next()));
  },
  /** Pauses and runs one step. */
  step(): void {
    sendSettings();
    running.value = false;
    void worker?.step(requests.next());
  },
  /** Sets a weight or a bias of the network. */
  setParameter(place: ParameterPlace, value: number): void {
    sendSettings();
    void worker?.setParameter(requests.next(), place, value);
  },
  /** Starts over. */
  reset(): void {
    sendSettings();
    void worker?.reset(requests.replace());
  },
};

/** What the network dispatches for a step; nothing while the tab is hidden. */
export const dispatches = async (): Promise<readonly StepDispatches[]> => (await worker?.dispatches()) ?? [];

export const comparison = new Comparison({
  compare: async (steps) => {
    sendSettings();
    return worker?.compare(steps);
  },
  cancelComparison: () => void worker?.cancelComparison(),
  prefix: "playground-",
  network: "this model",
  examples: "points",
  subject: problem,
});

/** Continues with the last saved weights on a newly opened device. It starts the training if `starts` is true or it was running. */
export function resume(starts: boolean): void {
  if (!worker) return;
  const run = starts || running.value;
  running.value = run;
  void worker.resume(requests.replace());
  if (!run) void worker.pause(requests.next());
}
