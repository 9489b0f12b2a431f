import { computed, signal } from "@preact/signals";
import { choice, fallbacks, readFields, unknownParameters, writeFields } from "../../shared/address/codec.ts";
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

/** The whole tab: which mode is shown, and the settings of each, shown or not. Plain JSON. */
export interface PlaygroundState {
  readonly mode: Mode;
  readonly classify: ClassifySettings;
  readonly regress: RegressSettings;
  readonly neuron: NeuronSettings;
  readonly surface: SurfaceSettings;
}

const tabFields = { mode: choice(Object.keys(modes) as Mode[], "classify") };

/** What the tab shows before anybody changes anything. */
export const initialState: PlaygroundState = {
  ...fallbacks(tabFields),
  classify: fallbacks(classifyFields),
  regress: fallbacks(regressFields),
  neuron: fallbacks(neuronFields),
  surface: fallbacks(surfaceFields),
};

export const playgroundState = signal<PlaygroundState>(initialState);

/** The shown mode with its settings, as the worker takes them. */
export const currentConfig = computed<PlaygroundConfig>(() => {
  const { mode, ...settings } = playgroundState.value;
  return { mode, ...settings[mode] } as PlaygroundConfig;
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

/** The state as parameters of the address: `mode`, and as `mode.setting` every setting that differs from its default. */
export function formatPlayground(): URLSearchParams {
  const params = new URLSearchParams();
  const state = playgroundState.value;
  writeFields(params, tabFields, state);
  writeFields(params, classifyFields, state.classify, { prefix: "classify." });
  writeFields(params, regressFields, state.regress, { prefix: "regress." });
  writeFields(params, neuronFields, state.neuron, { prefix: "neuron." });
  writeFields(params, surfaceFields, state.surface, { prefix: "surface." });
  return params;
}

/**
 * Takes the state from parameters of the address. What is missing gets its default.
 * @returns the parameters that are unknown or not allowed, such as "classify.noise=9"; their settings get their defaults
 */
export function parsePlayground(params: URLSearchParams): string[] {
  const groups = Object.fromEntries(Object.entries(modes).map(([mode, fields]) => [`${mode}.`, fields]));
  const faults = unknownParameters(params, { "": tabFields, ...groups });
  playgroundState.value = {
    ...readFields(params, tabFields, faults),
    classify: readFields(params, classifyFields, faults, "classify."),
    regress: readFields(params, regressFields, faults, "regress."),
    neuron: readFields(params, neuronFields, faults, "neuron."),
    surface: readFields(params, surfaceFields, faults, "surface."),
  };
  return faults;
}
