/*
 * The connection of the Convolution tab to its worker: sends requests, and turns the worker's events into signals.
 */
import { effect } from "@preact/signals";
import { picture as drawn } from "../../digits/view/pad-canvas.tsx";
import { Comparison } from "../../shared/comparison-state.ts";
import { RunConnection } from "../../shared/run-connection.ts";
import type { RunEvent } from "../../shared/run-contract.ts";
import { StepHistory } from "../../shared/step-history.ts";
import type { ConvolutionApi, ConvolutionEvent, Frame, Subject } from "../contract.ts";
import type { TrainingSettings } from "../settings.ts";
import {
  accuracy,
  deviceGone,
  filterHistory,
  frame,
  message,
  MOST_FILTERS,
  prepared,
  running,
  shifts,
  shownPlace,
  subject,
  training,
} from "./signals.ts";

const connection = new RunConnection<TrainingSettings, ConvolutionEvent, Pick<ConvolutionApi, "look">>({
  signals: { running, message, deviceGone },
  take,
  connected: () => {
    looking = false;
    const stopLooking = effect(() => void look({ ...subject.value, drawn: drawn.value }));
    const stopConfiguring = effect(() => connection.configure(training.value));
    return () => {
      stopLooking();
      stopConfiguring();
    };
  },
});

function take(event: Exclude<ConvolutionEvent, RunEvent>): void {
  switch (event.kind) {
    case "prepared":
      prepared.value = event;
      connection.begun();
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
  }
}

/** Forgets the previous networks. What is shown stays until the new networks replace it, so that nothing jumps. */
function forget(): void {
  filterHistory.value = new StepHistory(MOST_FILTERS);
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
  const asked = connection.worker;
  if (looking || !asked) return;
  looking = true;
  const isConnected = () => connection.worker === asked;
  while (waiting && isConnected()) {
    const sent: Subject = waiting;
    waiting = undefined;
    await asked.look(connection.requests.next(), sent);
  }
  if (isConnected()) looking = false;
}

export const { connect, commands: convolutionCommands, dispatches, resume } = connection;

export const { idle } = connection.requests;

export const comparison = new Comparison({
  compare: connection.compare,
  cancelComparison: connection.cancelComparison,
  prefix: "convolution-",
  network: "the convolutional network",
  examples: "images",
  subject: prepared,
});
