/* What the page knows of the worker's run, and what it asks of the worker. */
import { effect, signal, type Signal } from "@preact/signals";
import * as Comlink from "comlink";
import type { Frame, PlaygroundApi, PlaygroundEvent, Problem } from "./contract.ts";
import type { Mode } from "./settings.ts";
import { currentConfig, hasNoPoints } from "./state.ts";

/** The points of the run, and the mode they belong to. */
export const problem = signal<(Problem & { readonly mode: Mode }) | undefined>(undefined);

export const frame = signal<Frame | undefined>(undefined);

/** For words: a new one each second while training runs, so that nobody is read 25 texts a second. */
export const spokenFrame = signal<Frame | undefined>(undefined);

/** For the many pictures of hidden units, which take the page longer to draw than all else. */
export const unitsFrame = signal<Frame | undefined>(undefined);

export const running = signal(false);

/** What went wrong or should be known, as a sentence. */
export const message = signal<{ readonly kind: "error" | "note"; readonly text: string } | undefined>(undefined);

/** Losses by step; test is NaN where there is no test set. Replaced at each change, its arrays are not. */
export interface History {
  readonly steps: number[];
  readonly losses: number[];
  readonly testLosses: number[];
}

const emptyHistory = (): History => ({ steps: [], losses: [], testLosses: [] });

export const history = signal<History>(emptyHistory());

/** The two parameters after every step, pair after pair; of mode "surface". */
export const path = signal<readonly number[]>([]);

/** More than a chart has pixels; then every other one is dropped. */
const MOST_RECORDS = 800;

/** Past this the oldest steps of a path are dropped. */
const MOST_PATH_NUMBERS = 4000;

/** Settings that change faster than this, as while a slider moves, are sent once. */
const SETTLE_MILLISECONDS = 120;

let worker: Comlink.Remote<PlaygroundApi> | undefined;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Sends settings that wait to settle; a command must not overtake them. */
let sendSettings = () => {};

/** Whether training should run while the tab is shown: from the start on, until somebody pauses it. */
let shouldRun = true;

/** Sets a signal at most so often while training runs, and always while it does not. */
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

function receive(event: PlaygroundEvent): void {
  switch (event.kind) {
    case "problem":
      problem.value = { ...event.problem, mode: event.mode };
      message.value = undefined;
      if (!event.fresh) return;
      history.value = emptyHistory();
      path.value = [];
      // Where a run begins its first frame follows, and until then the last one of the run before stays.
      if (hasNoPoints.value) frame.value = spokenFrame.value = unitsFrame.value = undefined;
      return;
    case "frame":
      record(event.frame);
      return;
    case "running":
      running.value = event.running;
      return;
    case "recovery":
      message.value = { kind: "note", text: `The GPU was lost (${event.reason}) and opened again; training goes on.` };
      return;
    case "error":
      shouldRun = false;
      message.value = { kind: "error", text: event.message };
  }
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

/**
 * Sends settings to the worker as they change, and trains while connected.
 * @returns ends that, and pauses the training
 */
export function connect(api: Comlink.Remote<PlaygroundApi>): () => void {
  worker = api;
  void api.subscribe(Comlink.proxy(receive));
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
      void api.configure(config);
    };
    timer = setTimeout(() => sendSettings(), SETTLE_MILLISECONDS);
  });
  sendSettings();
  if (shouldRun) void api.start();
  return () => {
    slow.removeEventListener("change", setFrameTime);
    clearTimeout(timer);
    sendSettings = () => {};
    stop();
    void api.pause();
    worker = undefined;
  };
}

/** What the buttons and keys do; nothing while the tab is not shown. */
export const playgroundCommands = {
  /** Starts or pauses. */
  toggle(): void {
    sendSettings();
    shouldRun = !running.value;
    void (running.value ? worker?.pause() : worker?.start());
  },
  /** Pauses and makes one step. */
  step(): void {
    sendSettings();
    shouldRun = false;
    void worker?.step();
  },
  /** Starts over. */
  reset(): void {
    sendSettings();
    void worker?.reset();
  },
};
