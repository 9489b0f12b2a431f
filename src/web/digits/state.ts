/*
 * What the Digits tab shows, and what its controls do.
 */
import { batch, computed, signal } from "@preact/signals";
import { proxy, transfer, type Remote } from "comlink";
import type {
  Answer,
  DigitsApi,
  DigitsEvent,
  PreparedEvent,
  ProgressEvent,
  TestEvent,
  WeightsEvent,
} from "./contract.ts";
import { TrainingHistory } from "./history.ts";
import { defaultSettings, faultsOf, formatSettings, needsRestart, parseSettings, type DigitsSettings } from "./settings.ts";

/** What the editor holds; beyond what is trained, it waits to be applied. */
export const draft = signal<DigitsSettings>(defaultSettings);
/** The network in training; undefined until the first is ready. */
export const prepared = signal<PreparedEvent | undefined>(undefined);
export const running = signal(false);
export const step = signal(0);
export const progress = signal<Omit<ProgressEvent, "losses" | "accuracies"> & { readonly loss: number } | undefined>(undefined);
export const test = signal<TestEvent | undefined>(undefined);
export const weights = signal<WeightsEvent | undefined>(undefined);
/** Raised when the curves have new points. */
export const curvesVersion = signal(0);
/** Faults to show, the training's and those of the visitor's actions. */
export const fault = signal<string | undefined>(undefined);
/** Something to know that is no fault. */
export const notice = signal<string | undefined>(undefined);
/** What the network makes of the drawing. */
export const answer = signal<Answer | undefined>(undefined);

export const viewOptions = signal({ axis: "step" as "step" | "time", logarithmic: false, raw: true, smoothing: 0.9 });
export type ViewOptions = typeof viewOptions.value;

export const finished = computed(() => prepared.value !== undefined && step.value >= prepared.value.stepsTotal);
export const restartPending = computed(() => prepared.value !== undefined && needsRestart(prepared.value.settings, draft.value));
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

let api: Remote<DigitsApi>;

/** Whether the tab is shown, and whether it trains as soon as it is. */
let visible = true;
let resumes = true;

/** Connects the tab with its worker and begins to train, once it is shown. */
export async function connect(remote: Remote<DigitsApi>): Promise<void> {
  api = remote;
  await api.subscribe(proxy(receive));
  await act(() => api.begin(draft.value, visible));
}

function receive(event: DigitsEvent): void {
  batch(() => {
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
        running.value = event.running;
        step.value = event.step;
        break;
      case "recovered":
        notice.value = `The GPU was lost and replaced; training went on from step ${event.fromStep}.`;
        break;
      case "failed":
        fault.value = event.message;
    }
  });
}

function takePrepared(event: PreparedEvent): void {
  const goesOn = event.step > 0;
  prepared.value = event;
  draft.value = event.settings;
  step.value = event.step;
  fault.value = undefined;
  if (goesOn) return;
  curves.training = new TrainingHistory();
  curves.test = [];
  progress.value = undefined;
  weights.value = undefined;
  curvesVersion.value++;
}

function takeProgress({ losses, accuracies, ...event }: ProgressEvent): void {
  const { training } = curves;
  training.add(losses, accuracies, event.step, training.secondsNow, event.seconds);
  step.value = event.step;
  progress.value = { ...event, loss: losses.at(-1)! };
  curvesVersion.value++;
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
  if (running.value) return act(() => api.pause());
  if (finished.value) return act(() => api.begin(draft.value, true));
  return act(() => api.start());
}

export const stepOnce = (): Promise<void> => act(() => api.step());

/** Draws the weights anew, with what the editor holds. */
export function reset(): Promise<void> {
  if (draftFaults.value.length > 0) return Promise.resolve();
  notice.value = undefined;
  return act(() => api.begin(draft.value, running.value));
}

/** Ends or resumes work as the tab goes and comes. */
export function setVisible(now: boolean): void {
  if (now === visible) return;
  visible = now;
  if (!now && prepared.value) resumes = running.value;
  if (api && !now) void act(() => api.pause());
  if (api && now && resumes) void act(() => api.start());
}

/** Takes a change of the editor: what needs no restart is applied at once, all else waits. */
export function edit(change: Partial<DigitsSettings>): void {
  draft.value = { ...draft.value, ...change };
  const applied = prepared.value?.settings;
  if (!applied || draftFaults.value.length > 0 || restartPending.value) return;
  if (JSON.stringify(applied) !== JSON.stringify(draft.value)) adjustSoon();
}

let adjusting: ReturnType<typeof setTimeout> | undefined;

/** Waits until the visitor has typed to the end. */
function adjustSoon(): void {
  clearTimeout(adjusting);
  adjusting = setTimeout(() => {
    if (!restartPending.value && draftFaults.value.length === 0) void act(() => api.adjust(draft.value));
  }, 300);
}

/** Replaces the whole draft and begins with it. */
export function choose(settings: DigitsSettings): Promise<void> {
  draft.value = settings;
  return act(() => api.begin(settings, running.value || !prepared.value || finished.value));
}

export const discard = (): void => void (draft.value = prepared.value?.settings ?? defaultSettings);

/** The drawing that waits to be looked at, the last one only. */
let waiting: Uint8Array<ArrayBuffer> | undefined;
let looking = false;

/** Asks for the network's answer to a picture; while one is under way the newest waits. */
export async function look(picture: Uint8Array<ArrayBuffer> | undefined): Promise<void> {
  waiting = picture;
  if (!picture) answer.value = undefined;
  if (looking || !prepared.value) return;
  looking = true;
  while (waiting) {
    const next = waiting;
    waiting = undefined;
    await act(async () => {
      const found = await api.predict(next);
      answer.value = found;
    });
  }
  looking = false;
}

export const cellPictures = (actual: number, predicted: number) => api.cell(actual, predicted);
export const compareDevices = (steps: number) => api.compare(steps);
export const profileStep = () => api.profile();
export const watchWeights = (watched: boolean): void => void api?.watch({ weights: watched });

/** The network as a file. */
export async function saveFile(): Promise<void> {
  await act(async () => {
    const bytes = (await api.save()) as Uint8Array<ArrayBuffer>;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    link.download = `wgrad-digits-${step.value}.safetensors`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}

/** Takes the network of a file. */
export async function loadFile(file: File): Promise<void> {
  fault.value = undefined;
  await act(async () => {
    const bytes = new Uint8Array(await file.arrayBuffer());
    await api.load(transfer(bytes, [bytes.buffer]), file.name);
    notice.value = undefined;
  });
}

/** All of this as the fields of an address. */
export function formatDigits(): URLSearchParams {
  const params = formatSettings(prepared.value?.settings ?? draft.value);
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
  if (faults.length > 0) notice.value = `The address says ${faults.join(", ")}, which is not known here: the usual is taken.`;
  if (prepared.value) void choose(settings);
  else draft.value = settings;
}
