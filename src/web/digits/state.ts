/*
 * What the Digits tab shows, and what its controls do.
 */
import { batch, computed, signal } from "@preact/signals";
import { proxy, transfer, type Remote } from "comlink";
import { DataError, OptionError } from "../../index.ts";
import { scaled } from "../shared/format.ts";
import { addressNote } from "../shared/url.ts";
import { Newest, Requests, type Stamp } from "../shared/requests.ts";
import type {
  Activity,
  Answer,
  DigitsApi,
  DigitsCommand,
  DigitsEvent,
  KeptSummary,
  PreparedEvent,
  ProgressEvent,
  TestEvent,
  WeightsEvent,
} from "./contract.ts";
import { DivergenceWatch } from "./divergence.ts";
import { TrainingHistory } from "./history.ts";
import { defaultSettings, faultsOf, formatSettings, needsRestart, parseSettings, withOptions, type DigitsSettings } from "./settings.ts";

/** What the editor holds; beyond what is trained, it waits to be applied. Only the visitor and a loaded network change it. */
export const draft = signal<DigitsSettings>(defaultSettings);
/** What the worker was last asked to train; undefined before it is asked for anything. */
const applied = signal<DigitsSettings | undefined>(undefined);
/** The network in training; undefined until the first is ready. */
export const prepared = signal<PreparedEvent | undefined>(undefined);
/** Whether the visitor wants training to run; what the worker says of it counts once it has heard everything. */
export const running = signal(false);
/** What the worker is busy with. */
export const activity = signal<Activity | undefined>("preparing");
export const step = signal(0);
export const progress = signal<Omit<ProgressEvent, "losses" | "accuracies"> & { readonly loss: number } | undefined>(undefined);
export const test = signal<TestEvent | undefined>(undefined);
export const weights = signal<WeightsEvent | undefined>(undefined);
/** Raised when the curves have new points. */
export const curvesVersion = signal(0);
/** Raised when another network is shown: what was found out about the one before no longer counts. */
export const networkVersion = signal(0);
/** Faults to show, the training's and those of the visitor's actions. */
export const fault = signal<string | undefined>(undefined);
/** Whether the GPU is gone for good, so that only the CPU is left. */
export const deviceGone = signal(false);
/** Something to know that is no fault. */
export const notice = signal<string | undefined>(undefined);
/** What the network makes of the drawing. */
export const answer = signal<Answer | undefined>(undefined);
/** The network of an earlier visit, as long as it is offered. */
export const offered = signal<KeptSummary | undefined>(undefined);

export const viewOptions = signal({ axis: "step" as "step" | "time", logarithmic: false, raw: true, smoothing: 0.9 });
export type ViewOptions = typeof viewOptions.value;

export const finished = computed(() => prepared.value !== undefined && step.value >= prepared.value.stepsTotal);
export const restartPending = computed(() => applied.value !== undefined && needsRestart(applied.value, draft.value));
export const draftFaults = computed(() => faultsOf(draft.value));

/** A point of the test curve. */
export interface TestPoint {
  readonly step: number;
  readonly seconds: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** The curves of this run. */
export const curves = { training: new TrainingHistory(), test: [] as TestPoint[] };

let divergence = new DivergenceWatch();

let api: Remote<DigitsApi> | undefined;

const requests = new Requests();

/** Questions about the drawing. */
const drawings = new Newest();

/** Whether the tab is shown. */
let visible = true;

/** Connects the tab with its worker and begins to train, once it is shown. */
export async function connect(remote: Remote<DigitsApi>): Promise<void> {
  await remote.subscribe(proxy(receive));
  api = remote;
  if (!visible) void send({ kind: "show", visible });
  await begin(draft.value, true);
  offered.value = await remote.kept();
}

/** Hears that the worker was ended: what was asked of it is never answered. */
export function disconnect(): void {
  api = undefined;
  drawings.forget();
  looking = false;
  batch(() => {
    running.value = false;
    activity.value = "preparing";
    networkVersion.value++;
  });
}

/** Connects the tab with another worker in place of one that was ended, with the network as it was kept. */
export async function reconnect(remote: Remote<DigitsApi>): Promise<void> {
  await remote.subscribe(proxy(receive));
  api = remote;
  if (!visible) void send({ kind: "show", visible });
  const kept = await remote.kept();
  const [before, wanted] = [prepared.value?.settings, applied.value ?? draft.value];
  // One of an earlier visit is another network, and the visitor may want another by now.
  const isSame = kept !== undefined && kept.savedAt >= preparedAt && before !== undefined && !needsRestart(before, wanted);
  if (isSame) await send({ kind: "resume", from: "earlier", run: running.value });
  else await begin(wanted, running.value);
}

/** Has the worker carry out a command. What it was asked before and this one replaces is not heard of any more. */
async function send(command: DigitsCommand): Promise<void> {
  const { kind } = command;
  const replaces = kind === "begin" || kind === "load" || kind === "resume";
  const number = replaces ? requests.replace() : requests.next();
  if (replaces) drawings.forget();
  const sent = kind === "load" ? transfer(command, [command.bytes.buffer as ArrayBuffer]) : command;
  await act(async () => api?.command(number, sent));
}

function begin(settings: DigitsSettings, run: boolean): Promise<void> {
  applied.value = settings;
  running.value = run;
  return send({ kind: "begin", settings, run });
}

function receive(event: DigitsEvent, stamp: Stamp): void {
  batch(() => {
    if (event.kind === "status") {
      activity.value = event.activity;
      if (requests.heardAll(stamp)) running.value = event.running;
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
        notice.value = `The GPU was lost and replaced; training went on from step ${event.fromStep}.`;
        break;
      case "failed":
        fault.value = event.message;
        deviceGone.value = event.deviceGone;
        if (requests.heardAll(stamp)) applied.value = prepared.value?.settings;
    }
  });
}

/** When the present network was made, in milliseconds since 1970. */
let preparedAt = Infinity;

function takePrepared(event: PreparedEvent): void {
  prepared.value = event;
  step.value = event.step;
  fault.value = undefined;
  deviceGone.value = false;
  if (event.origin === "adjusted") return;
  if (event.mnistMissing) notice.value = "MNIST is not available on this page: the built-in digits are used instead.";
  preparedAt = Date.now();
  // The visitor did not choose what a file or an earlier visit brings.
  if (event.origin !== "drawn") draft.value = applied.value = event.settings;
  curves.training = new TrainingHistory();
  curves.test = [];
  divergence = new DivergenceWatch();
  progress.value = undefined;
  test.value = undefined;
  weights.value = undefined;
  answer.value = undefined;
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

/** Does something that may fail, and shows the fault. */
async function act(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    fault.value = error instanceof Error ? error.message : String(error);
  }
}

export function toggleRunning(): Promise<void> {
  if (!running.value && finished.value) return begin(draft.value, true);
  running.value = !running.value;
  return send({ kind: running.value ? "start" : "pause" });
}

export function stepOnce(): Promise<void> {
  running.value = false;
  return send({ kind: "step" });
}

/** Draws the weights anew, with what the editor holds. */
export function reset(): Promise<void> {
  if (draftFaults.value.length > 0) return Promise.resolve();
  notice.value = undefined;
  return begin(draft.value, running.value);
}

/** Ends or resumes work as the tab goes and comes. */
export function setVisible(now: boolean): void {
  if (now === visible) return;
  visible = now;
  if (api) void send({ kind: "show", visible });
}

/** Takes a change of the editor: what needs no restart is applied at once, all else waits. */
export function edit(change: Partial<DigitsSettings>): void {
  draft.value = { ...draft.value, ...change };
  adjustSoon();
}

let adjusting: ReturnType<typeof setTimeout> | undefined;

/** Waits until the visitor has typed to the end. */
function adjustSoon(): void {
  clearTimeout(adjusting);
  adjusting = setTimeout(adjust, 300);
}

/** Applies what of the draft needs no restart. */
function adjust(): void {
  const before = applied.value;
  if (!before || draftFaults.value.length > 0) return;
  const settings = withOptions(before, draft.value);
  if (JSON.stringify(settings) === JSON.stringify(before)) return;
  applied.value = settings;
  void send({ kind: "adjust", settings });
}

/** Replaces the whole draft and begins with it. */
export function choose(settings: DigitsSettings): Promise<void> {
  draft.value = settings;
  return begin(settings, running.value || !prepared.value || finished.value);
}

/** Takes back what waits for a restart. */
export function discard(): void {
  if (applied.value) draft.value = withOptions(applied.value, draft.value);
}

/** Goes on with the network of an earlier visit, or with the present one on a device that was opened since. */
export function resume(from: "earlier" | "present"): Promise<void> {
  offered.value = undefined;
  running.value = true;
  return send({ kind: "resume", from, run: true });
}

/** The drawing that waits to be looked at, the last one only. */
let waiting: Uint8Array<ArrayBuffer> | undefined;
let looking = false;

/** Asks for the network's answer to a picture; while one is under way the newest waits. */
export async function look(picture: Uint8Array<ArrayBuffer> | undefined): Promise<void> {
  waiting = picture;
  if (!picture) {
    drawings.forget();
    answer.value = undefined;
  }
  if (looking || !prepared.value || !api) return;
  looking = true;
  const asked = api;
  const isConnected = () => api === asked;
  while (waiting && isConnected()) {
    const next = waiting;
    waiting = undefined;
    await act(async () => {
      const found = await drawings.ask(() => asked.predict(next));
      if (found) answer.value = found;
    });
  }
  if (isConnected()) looking = false;
}

/** @throws OptionError while there is no worker */
function connected(): Remote<DigitsApi> {
  if (api) return api;
  throw new OptionError({ where: "page", what: "there is no network yet", fix: "Wait until one is ready" });
}

export const cellPictures = async (actual: number, predicted: number) => connected().cell(actual, predicted);
export const compareDevices = async (steps: number) => connected().compare(steps);
export const cancelComparison = (): void => void api?.cancelComparison();
export const profileStep = async () => connected().profile();
export const watchWeights = (watched: boolean): void => void api?.watch({ weights: watched });

/** The network as a file. */
export async function saveFile(): Promise<void> {
  await act(async () => {
    const bytes = (await connected().save()) as Uint8Array<ArrayBuffer>;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    link.download = `wgrad-digits-${step.value}.safetensors`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}

/** The largest file that is read: several times the widest network of the page. */
const MOST_FILE_BYTES = 2 ** 28;

/** Takes the network of a file, whose size is looked at before it is read. */
export async function loadFile(file: File): Promise<void> {
  fault.value = undefined;
  await act(async () => {
    if (file.size > MOST_FILE_BYTES) {
      const [size, most] = [file.size, MOST_FILE_BYTES].map((bytes) => `${scaled(bytes)}B`);
      throw new DataError({ where: file.name, what: `the file has ${size}`, fix: `A network for this page has at most ${most}` });
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    running.value = false;
    await send({ kind: "load", bytes, name: file.name });
  });
}

/** All of this as the fields of an address. */
export function formatDigits(): URLSearchParams {
  const params = formatSettings(applied.value ?? draft.value);
  const { axis, logarithmic, raw, smoothing } = viewOptions.value;
  if (axis !== "step") params.set("axis", axis);
  if (logarithmic) params.set("scale", "log");
  if (!raw) params.set("raw", "no");
  if (smoothing !== 0.9) params.set("smoothing", String(smoothing));
  return params;
}

/** Takes over the fields of an address; what makes no sense is named in the notice. */
export function parseDigits(params: URLSearchParams): void {
  const { settings, faults } = parseSettings(params);
  const smoothing = Number(params.get("smoothing") ?? 0.9);
  viewOptions.value = {
    axis: params.get("axis") === "time" ? "time" : "step",
    logarithmic: params.get("scale") === "log",
    raw: params.get("raw") !== "no",
    smoothing: smoothing >= 0 && smoothing < 1 ? smoothing : 0.9,
  };
  if (faults.length > 0) notice.value = addressNote(faults);
  if (applied.value && needsRestart(applied.value, settings)) void choose(settings);
  else {
    draft.value = settings;
    adjust();
  }
}
