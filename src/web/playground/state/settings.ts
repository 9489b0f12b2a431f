import { computed, signal } from "@preact/signals";
import { choice, fallbacks, formatSettings, parseSettings } from "../../shared/address/codec.ts";
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

const modeField = choice(Object.keys(modes) as Mode[], "classify");

/** What the tab shows before anybody changes anything. */
export const initialState: PlaygroundState = {
  mode: modeField.fallback,
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

/** The state for a URL: `mode` and, as `mode.setting`, whatever differs from the defaults. */
export function formatPlayground(): URLSearchParams {
  const params = new URLSearchParams();
  const { mode, ...settings } = playgroundState.value;
  if (mode !== modeField.fallback) params.set("mode", mode);
  formatSettings(params, "classify", classifyFields, settings.classify);
  formatSettings(params, "regress", regressFields, settings.regress);
  formatSettings(params, "neuron", neuronFields, settings.neuron);
  formatSettings(params, "surface", surfaceFields, settings.surface);
  return params;
}

/**
 * Takes the state from a URL; what is missing is as at first.
 * @returns what is unknown or out of range, and therefore as at first, such as "classify.noise=9"
 */
export function parsePlayground(params: URLSearchParams): string[] {
  const known = new Set(["mode", ...Object.entries(modes).flatMap(([mode, fields]) => Object.keys(fields).map((name) => `${mode}.${name}`))]);
  const faults = [...params].filter(([key]) => !known.has(key)).map(([key, text]) => `${key}=${text}`);
  const modeText = params.get("mode");
  const mode = modeText === null ? modeField.fallback : modeField.parse(modeText);
  if (mode === undefined) faults.push(`mode=${modeText}`);
  playgroundState.value = {
    mode: mode ?? modeField.fallback,
    classify: parseSettings(params, "classify", classifyFields, faults),
    regress: parseSettings(params, "regress", regressFields, faults),
    neuron: parseSettings(params, "neuron", neuronFields, faults),
    surface: parseSettings(params, "surface", surfaceFields, faults),
  };
  return faults;
}
