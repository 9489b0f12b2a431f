/*
 * What the Playground tab shows: the settings of each mode, and the run in the worker.
 */
import { computed, signal } from "@preact/signals";
import { choice, fallbacks, flag, keyed, type Settings } from "../../shared/address/codec.ts";
import type { Frame, Problem } from "../contract.ts";
import {
  classifyFields,
  modes,
  neuronFields,
  regressFields,
  surfaceFields,
  type ClassifySettings,
  type Mode,
  type NeuronSettings,
  type PlaygroundConfig,
  type RegressSettings,
  type SurfaceSettings,
} from "../settings.ts";

export const tabFields = {
  mode: choice(Object.keys(modes) as Mode[], "classify"),
  /** Whether the picture shows the test points. */
  testPoints: keyed("test", flag({ on: "yes", off: "no" }, false)),
  /** Whether the picture shows the predicted class instead of its probability. */
  discretized: keyed("discrete", flag({ on: "yes", off: "no" }, false)),
};

/** The current mode, what its picture shows, and the settings of all modes, as plain JSON. */
export interface PlaygroundState extends Settings<typeof tabFields> {
  readonly classify: ClassifySettings;
  readonly regress: RegressSettings;
  readonly neuron: NeuronSettings;
  readonly surface: SurfaceSettings;
}

/** All defaults. */
export const initialState: PlaygroundState = {
  ...fallbacks(tabFields),
  classify: fallbacks(classifyFields),
  regress: fallbacks(regressFields),
  neuron: fallbacks(neuronFields),
  surface: fallbacks(surfaceFields),
};

export const playgroundState = signal<PlaygroundState>(initialState);

/** The current mode with its settings, as the worker takes them. */
export const currentConfig = computed<PlaygroundConfig>(() => {
  const state = playgroundState.value;
  return { mode: state.mode, ...state[state.mode] } as PlaygroundConfig;
});

/** Whether the visitor has removed all points and added none. */
export const hasNoPoints = computed(() => {
  const { mode } = playgroundState.value;
  if (mode === "surface") return false;
  const { data, points } = playgroundState.value[mode];
  return data === "own" && points.length === 0;
});

/** Changes settings of a mode. */
export function change<Of extends Mode>(mode: Of, settings: Partial<PlaygroundState[Of]>): void {
  const state = playgroundState.value;
  playgroundState.value = { ...state, [mode]: { ...state[mode], ...settings } };
}

/** The points of the run, and the mode that they belong to. */
export const problem = signal<(Problem & { readonly mode: Mode }) | undefined>(undefined);

export const frame = signal<Frame | undefined>(undefined);

/** The frame for texts. It changes once per second while training runs, so that a screen reader can follow. */
export const spokenFrame = signal<Frame | undefined>(undefined);

/** The frame for the pictures of hidden units, which are the slowest to draw. */
export const unitsFrame = signal<Frame | undefined>(undefined);

/** Whether the visitor wants training to run. The worker's report of it counts only if it had received all requests. */
export const running = signal(true);

/** An error or a note, as a sentence. */
export const message = signal<{ readonly kind: "error" | "note"; readonly text: string } | undefined>(undefined);

/** Whether the GPU is lost for good, so that only the CPU is left. */
export const deviceGone = signal(false);

/** Losses by step; test losses are NaN if there is no test set. A change replaces the object but not its arrays. */
export interface History {
  readonly steps: number[];
  readonly losses: number[];
  readonly testLosses: number[];
}

export const emptyHistory = (): History => ({ steps: [], losses: [], testLosses: [] });

export const history = signal<History>(emptyHistory());

/** In mode "surface", pairs of the two parameters after every step. */
export const path = signal<readonly number[]>([]);
