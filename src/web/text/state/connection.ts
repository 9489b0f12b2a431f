/*
 * The connection of the Text tab to its worker: sends requests, and turns the worker's events into signals.
 */
import { computed, effect } from "@preact/signals";
import { Comparison } from "../../shared/comparison-state.ts";
import { RunConnection } from "../../shared/run-connection.ts";
import type { RunEvent } from "../../shared/run-contract.ts";
import { StepHistory } from "../../shared/step-history.ts";
import type { PreparedEvent, Sample, TextApi, TextEvent, TextRunSettings } from "../contract.ts";
import { Curve } from "./curve.ts";
import {
  curve,
  deviceGone,
  earlier,
  latest,
  message,
  MOST_SAMPLES,
  ownText,
  prepared,
  progress,
  running,
  samples,
  settings,
  tested,
  view,
} from "./signals.ts";

const temperature = computed(() => view.value.temperature);

const connection = new RunConnection<TextRunSettings, TextEvent, Pick<TextApi, "setTemperature">>({
  signals: { running, message, deviceGone },
  take,
  connected: () => {
    const stopHeating = effect(
      () => void connection.worker?.setTemperature(connection.requests.next(), temperature.value),
    );
    const stopConfiguring = effect(() => {
      const text = settings.value.data === "own" ? ownText.value : undefined;
      connection.configure({ ...settings.value, ...(text !== undefined && { text }) });
    });
    return () => {
      stopHeating();
      stopConfiguring();
    };
  },
});

function take(event: Exclude<TextEvent, RunEvent>): void {
  switch (event.kind) {
    case "prepared":
      connection.begun();
      begun = event;
      return;
    case "sample":
      takeSample(event.sample);
      return;
    case "progress":
      progress.value = event;
      curve.value = curve.value.with(event.step, { training: event.loss });
      return;
    case "test":
      tested.value = event;
      curve.value = curve.value.with(event.step, { test: event.loss });
  }
}

/** A network that has not written anything yet. The previous one is shown until it has, so that nothing jumps. */
let begun: PreparedEvent | undefined;

/** Forgets the previous network. */
function forget(): void {
  curve.value = new Curve();
  samples.value = new StepHistory(MOST_SAMPLES);
  earlier.value = progress.value = tested.value = undefined;
}

function takeSample(sample: Sample): void {
  if (begun) {
    prepared.value = begun;
    if (begun.fresh) forget();
    begun = undefined;
  }
  latest.value = sample;
  samples.value = samples.value.with(sample);
}

export const { connect, commands: textCommands, dispatches, resume } = connection;

export const { idle } = connection.requests;

export const comparison = new Comparison({
  compare: connection.compare,
  cancelComparison: connection.cancelComparison,
  prefix: "text-",
  network: "this network",
  examples: "examples",
  subject: prepared,
});
