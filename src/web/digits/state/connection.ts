/*
 * The connection of the Digits tab to its worker: sends requests, and turns the worker's events into signals.
 */
import { batch } from "@preact/signals";
import { proxy, transfer, type Remote } from "comlink";
import { OptionError } from "../../../index.ts";
import { currentLesson } from "../../lessons/current.ts";
import { Newest, Requests, type Stamp } from "../../shared/requests.ts";
import type {
  DigitsApi,
  DigitsCommand,
  DigitsEvent,
  PreparedEvent,
  ProgressEvent,
  WatchedWeights,
} from "../contract.ts";
import { needsRestart, type DigitsSettings } from "../settings.ts";
import { DivergenceWatch } from "./divergence.ts";
import { TrainingHistory } from "./history.ts";
import { keepRun } from "./runs.ts";
import {
  activity,
  prediction,
  applied,
  curves,
  curvesVersion,
  deviceGone,
  draft,
  fault,
  networkVersion,
  notice,
  offered,
  predictedPicture,
  prepared,
  progress,
  running,
  step,
  test,
  weights,
} from "./signals.ts";

let divergence = new DivergenceWatch();

let api: Remote<DigitsApi> | undefined;

const requests = new Requests();

export const { idle } = requests;

/** Requests for predictions of the drawing. */
const drawings = new Newest();

/** Whether the tab is visible. */
let visible = true;

/** Connects the tab to its worker and starts the training, which runs while the tab is visible. A lesson starts it later. */
export async function connect(remote: Remote<DigitsApi>): Promise<void> {
  await remote.subscribe(proxy(receive));
  api = remote;
  if (!visible) void send({ kind: "show", visible });
  void remote.watch(watched);
  await begin(draft.value, currentLesson.value === undefined);
  offered.value = await remote.kept();
}

/** Handles the end of the worker, which leaves its requests unanswered. */
export function disconnect(): void {
  api = undefined;
  drawings.forget();
  predicting = false;
  batch(() => {
    running.value = false;
    activity.value = "preparing";
    networkVersion.value++;
  });
}

/** Connects the tab to a new worker, with the last saved state of the network. */
export async function reconnect(remote: Remote<DigitsApi>): Promise<void> {
  await remote.subscribe(proxy(receive));
  api = remote;
  if (!visible) void send({ kind: "show", visible });
  void remote.watch(watched);
  const kept = await remote.kept();
  const [before, wanted] = [prepared.value?.settings, applied.value ?? draft.value];
  // The saved network may be of an earlier visit, and the visitor may want other settings by now.
  const isSame =
    kept !== undefined && kept.savedAt >= preparedAt && before !== undefined && !needsRestart(before, wanted);
  if (isSame) await send({ kind: "resume", from: "earlier", run: running.value });
  else await begin(wanted, running.value);
}

/** Sends a command to the worker. Events about anything that it replaces are dropped from now on. */
export async function send(command: DigitsCommand): Promise<void> {
  const { kind } = command;
  const replaces = kind === "begin" || kind === "load" || kind === "resume";
  const number = replaces ? requests.replace() : requests.next();
  if (replaces) drawings.forget();
  const sent = kind === "load" ? transfer(command, [command.bytes.buffer as ArrayBuffer]) : command;
  await act(async () => api?.command(number, sent));
}

export function begin(settings: DigitsSettings, run: boolean): Promise<void> {
  applied.value = settings;
  running.value = run;
  return send({ kind: "begin", settings, run });
}

function receive(event: DigitsEvent, stamp: Stamp): void {
  batch(() => {
    if (event.kind === "status") {
      activity.value = event.activity;
      if (event.activity === undefined) requests.takeIdle(stamp);
      if (requests.isUpToDate(stamp)) running.value = event.running;
    }
    if (!requests.concerns(stamp)) return;
    switch (event.kind) {
      case "prepared":
        takePrepared(event);
        break;
      case "progress":
        takeProgress(event);
        break;
      case "test":
        curves.test.push(event);
        test.value = event;
        curvesVersion.value++;
        break;
      case "weights":
        weights.value = event;
        break;
      case "status":
        step.value = event.step;
        break;
      case "recovered":
        notice.value = `The device was lost and replaced. Training continues from step ${event.fromStep}.`;
        break;
      case "failed":
        fault.value = event.message;
        deviceGone.value = event.deviceGone;
        if (requests.isUpToDate(stamp)) applied.value = prepared.value?.settings;
    }
  });
}

/** When the current network was created, in milliseconds since 1970. */
let preparedAt = Infinity;

function takePrepared(event: PreparedEvent): void {
  if (event.origin !== "adjusted" && prepared.value) keepRun(prepared.value, curves);
  prepared.value = event;
  step.value = event.step;
  fault.value = undefined;
  deviceGone.value = false;
  if (event.origin === "adjusted") return;
  if (event.mnistMissing) notice.value = "MNIST is not available on this page. The built-in digits are used instead.";
  preparedAt = Date.now();
  // The settings of a file or an earlier visit replace those in the editor.
  if (event.origin !== "drawn") draft.value = applied.value = event.settings;
  curves.training = new TrainingHistory();
  curves.test = [];
  divergence = new DivergenceWatch();
  progress.value = undefined;
  test.value = undefined;
  weights.value = undefined;
  prediction.value = undefined;
  curvesVersion.value++;
  networkVersion.value++;
}

function takeProgress({ losses, accuracies, ...event }: ProgressEvent): void {
  const { training } = curves;
  training.add(losses, accuracies, event.step, training.secondsNow, event.seconds);
  step.value = event.step;
  progress.value = { ...event, loss: losses.at(-1)! };
  curvesVersion.value++;
  const diverged = divergence.add(losses, accuracies, event.learningRate);
  if (diverged) fault.value = diverged;
}

/** Does something that may fail, and shows the error. */
export async function act(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    fault.value = error instanceof Error ? error.message : String(error);
  }
}

/** Pauses work while the tab is hidden. */
export function setVisible(now: boolean): void {
  if (now === visible) return;
  visible = now;
  if (api) void send({ kind: "show", visible });
}

/** The newest drawing that waits for a prediction. */
let waiting: Uint8Array<ArrayBuffer> | undefined;
let predicting = false;

/** Asks for the network's prediction of a picture. While one request runs, only the newest picture waits. */
export async function predictDrawing(picture: Uint8Array<ArrayBuffer> | undefined): Promise<void> {
  waiting = picture;
  if (!picture) {
    drawings.forget();
    prediction.value = undefined;
  }
  if (predicting || !prepared.value || !api) return;
  predicting = true;
  const asked = api;
  const isConnected = () => api === asked;
  while (waiting && isConnected()) {
    const next = waiting;
    waiting = undefined;
    await act(async () => {
      const found = await drawings.ask(() => asked.predict(next));
      if (!found) return;
      prediction.value = found;
      predictedPicture.value = next;
    });
  }
  if (isConnected()) predicting = false;
}

/** @throws OptionError if there is no worker */
export function connected(): Remote<DigitsApi> {
  if (api) return api;
  throw new OptionError({ where: "page", what: "no network is ready yet", fix: "Wait until one is" });
}

export const cellPictures = async (actual: number, predicted: number) => connected().cell(actual, predicted);
export const readPictures = async (pictures: Uint8Array) => connected().read(pictures);
export const compareDevices = async (steps: number) => connected().compare(steps);
export const cancelComparison = (): void => void api?.cancelComparison();
export const profileStep = async () => connected().profile();
export const excitingPictures = async (layer: number, unit: number) => connected().exciting(layer, unit);

/** What the view shows of the weights. A new worker is told, too. */
let watched: WatchedWeights = { all: false, milliseconds: 200 };

export function watchWeights(parts: WatchedWeights): void {
  watched = parts;
  void api?.watch(parts);
}
