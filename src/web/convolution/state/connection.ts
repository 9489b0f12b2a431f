/*
 * The connection of the Convolution tab to its worker: sends requests, and turns the worker's events into signals.
 */
import { batch, effect } from "@preact/signals";
import * as Comlink from "comlink";
import { picture as drawn } from "../../digits/view/pad-canvas.tsx";
import { connectWhenLoaded } from "../../shared/connect.ts";
import { Requests, type Stamp } from "../../shared/requests.ts";
import type { ConvolutionApi, ConvolutionEvent, Frame, Subject } from "../contract.ts";
import { FilterHistory } from "./filter-history.ts";
import {
  accuracy,
  deviceGone,
  filterHistory,
  frame,
  message,
  prepared,
  running,
  shifts,
  shownPlace,
  subject,
  training,
} from "./signals.ts";

let worker: Comlink.Remote<ConvolutionApi> | undefined;

const requests = new Requests();

function receive(event: ConvolutionEvent, stamp: Stamp): void {
  if (event.kind === "running") {
    if (requests.isUpToDate(stamp)) running.value = event.running;
    return;
  }
  if (!requests.concerns(stamp)) return;
  batch(() => take(event));
}

function take(event: Exclude<ConvolutionEvent, { kind: "running" }>): void {
  switch (event.kind) {
    case "prepared":
      prepared.value = event;
      if (message.value?.kind === "error") message.value = undefined;
      deviceGone.value = false;
      if (event.fresh) forget();
      return;
    case "frame":
      takeFrame(event.frame);
      return;
    case "shifts":
      shifts.value = event;
      return;
    case "accuracy":
      accuracy.value = event;
      return;
    case "recovery":
      message.value = { kind: "note", text: `The device was lost (${event.reason}) and replaced. Training continues.` };
      return;
    case "error":
      message.value = { kind: "error", text: event.message };
      deviceGone.value = event.deviceGone;
  }
}

/** Forgets the previous networks. What is shown stays until the new networks replace it, so that nothing jumps. */
function forget(): void {
  filterHistory.value = new FilterHistory();
  shownPlace.value = undefined;
  accuracy.value = undefined;
}

function takeFrame(next: Frame): void {
  frame.value = next;
  filterHistory.value = filterHistory.value.with({ step: next.step, weights: next.filters[0]!.weights });
}

/** The newest subject that waits until the worker has handled the one before. */
let waiting: Subject | undefined;
let looking = false;

/** Sends what the networks see. While one call runs, only the newest one waits. */
async function look(next: Subject): Promise<void> {
  waiting = next;
  if (looking || !worker) return;
  looking = true;
  const asked = worker;
  const isConnected = () => worker === asked;
  while (waiting && isConnected()) {
    const sent: Subject = waiting;
    waiting = undefined;
    await asked.look(requests.next(), sent);
  }
  if (isConnected()) looking = false;
}

/** Connects the tab. Returns a function that disconnects it and pauses the training. */
export const connect = (opening: Promise<Comlink.Remote<ConvolutionApi>>): (() => void) =>
  connectWhenLoaded(opening, connectTo, (text) => (message.value = { kind: "error", text }));

/** Sends what the visitor changes, and lets the training run. Returns a function that ends both. */
function connectTo(api: Comlink.Remote<ConvolutionApi>): () => void {
  worker = api;
  looking = false;
  void api.subscribe(Comlink.proxy(receive));
  void api.show(requests.next(), true);
  const slow = matchMedia("(prefers-reduced-motion: reduce)");
  const setFrameTime = () => void api.setFrameTime(slow.matches ? 1000 : 60);
  setFrameTime();
  slow.addEventListener("change", setFrameTime);
  const stopLooking = effect(() => void look({ ...subject.value, drawn: drawn.value }));
  const stopConfiguring = effect(() => void api.configure(requests.next(), training.value));
  if (running.value) void api.start(requests.next());
  return () => {
    slow.removeEventListener("change", setFrameTime);
    stopLooking();
    stopConfiguring();
    void api.show(requests.next(), false);
    worker = undefined;
  };
}

/** What the buttons and keys do. They do nothing while the tab is hidden. */
export const convolutionCommands = {
  /** Starts or pauses. */
  toggle(): void {
    running.value = !running.value;
    void (running.value ? worker?.start(requests.next()) : worker?.pause(requests.next()));
  },
  /** Pauses and runs one step. */
  step(): void {
    running.value = false;
    void worker?.step(requests.next());
  },
  /** Starts over. */
  reset(): void {
    void worker?.reset(requests.replace());
  },
};

/** Continues with the last saved weights on a newly opened device. */
export function resume(): void {
  if (!worker) return;
  running.value = true;
  void worker.resume(requests.replace());
}
