import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { ChoiceField, Field, RangeField } from "../../../src/web/shared/address/codec.ts";
import {
  activationNames,
  EXTENT,
  layerFields,
  MOST_LAYERS,
  MOST_POINTS,
  modes,
  type Mode,
} from "../../../src/web/playground/settings.ts";
import {
  change,
  currentConfig,
  formatPlayground,
  initialState,
  parsePlayground,
  playgroundState,
  type PlaygroundState,
} from "../../../src/web/playground/state/index.ts";

const names = Object.keys(modes) as Mode[];

beforeEach(() => {
  playgroundState.value = initialState;
});

/** A coordinate with the three decimals that the address contains. */
const coordinates = (extent: number) =>
  fc.integer({ min: -1000 * extent, max: 1000 * extent }).map((thousandths) => thousandths / 1000);

function valuesOf(name: string, field: Field<unknown>): fc.Arbitrary<unknown> {
  if ("values" in field) return fc.constantFrom(...(field as ChoiceField<string>).values);
  if ("step" in field) {
    const { min, max, step } = field as RangeField;
    if (step === "any") return fc.double({ min, max, noNaN: true });
    return fc.integer({ min: 0, max: Math.round((max - min) / step) }).map((steps) => min + steps * step);
  }
  if (name === "layers") {
    const layer = fc.record({
      units: fc.integer({ min: 1, max: layerFields.units.max }),
      activation: fc.constantFrom(...activationNames),
    });
    return fc.array(layer, { maxLength: MOST_LAYERS });
  }
  if (name === "points") {
    const point = fc.tuple(coordinates(EXTENT), coordinates(EXTENT), fc.constantFrom(0, 1));
    return fc.array(point, { maxLength: 12 });
  }
  if (name === "features") {
    const { names: all } = field as Field<unknown> & { names: string[] };
    return fc.subarray(all, { minLength: 1 });
  }
  return fc.tuple(coordinates(1), coordinates(1));
}

const settings = (mode: Mode) =>
  fc.record(Object.fromEntries(Object.entries(modes[mode]).map(([name, field]) => [name, valuesOf(name, field)])));

const states = fc.record({
  mode: fc.constantFrom(...names),
  testPoints: fc.boolean(),
  discretized: fc.boolean(),
  ...Object.fromEntries(names.map((mode) => [mode, settings(mode)])),
}) as unknown as fc.Arbitrary<PlaygroundState>;

test("every state is the same after formatting and parsing", () => {
  fc.assert(
    fc.property(states, (state) => {
      playgroundState.value = state;
      const address = new URL(`https://example.org/?${formatPlayground().toString()}`);
      playgroundState.value = initialState;
      parsePlayground(address.searchParams);
      expect(playgroundState.value).toEqual(state);
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    }),
  );
});

test("parses any text without an error to a state that formatting and parsing do not change", () => {
  const keys = ["mode", ...names.flatMap((mode) => Object.keys(modes[mode]).map((name) => `${mode}.${name}`))];
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom("", "NaN", "-1", "1e999", "0x10", "__", "1_2_0*", "8-tanh_", "-0", "none"),
    fc.double().map(String),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...keys), texts)), (pairs) => {
      parsePlayground(new URLSearchParams(pairs));
      const state = playgroundState.value;
      parsePlayground(formatPlayground());
      expect(playgroundState.value).toEqual(state);
    }),
  );
});

test("the address contains only what differs from the defaults, without escaped characters", () => {
  expect(formatPlayground().toString()).toBe("");
  change("classify", {
    data: "own",
    points: [
      [0.25, -1, 1],
      [1, 0, 0],
    ],
    layers: [{ units: 3, activation: "relu" }],
  });
  change("neuron", { rule: "logistic" });
  playgroundState.value = { ...playgroundState.value, mode: "neuron" };
  expect(formatPlayground().toString()).toBe(
    "mode=neuron&classify.data=own&classify.points=0.25_-1_1*1_0_0&classify.layers=3-relu&neuron.rule=logistic",
  );
  expect(currentConfig.value).toMatchObject({ mode: "neuron", rule: "logistic" });
});

describe("values that are not allowed get their defaults", () => {
  test.each([
    ["mode=nothing", initialState.mode, (state: PlaygroundState) => state.mode],
    ["classify.data=mnist", "circles", (state: PlaygroundState) => state.classify.data],
    ["classify.noise=0.6", 0.1, (state: PlaygroundState) => state.classify.noise],
    ["classify.noise=", 0.1, (state: PlaygroundState) => state.classify.noise],
    ["classify.seed=1.5", 1, (state: PlaygroundState) => state.classify.seed],
    ["classify.learningRate=20", 0.01, (state: PlaygroundState) => state.classify.learningRate],
    ["classify.points=0_0_2", [], (state: PlaygroundState) => state.classify.points],
    ["classify.points=1.3_0_1", [], (state: PlaygroundState) => state.classify.points],
    ["classify.points=0_0_1*", [], (state: PlaygroundState) => state.classify.points],
    [
      `classify.points=${new Array(MOST_POINTS + 1).fill("0_0_1").join("*")}`,
      [],
      (state: PlaygroundState) => state.classify.points,
    ],
    ["classify.layers=17-tanh", initialState.classify.layers, (state: PlaygroundState) => state.classify.layers],
    ["classify.layers=8-step", initialState.classify.layers, (state: PlaygroundState) => state.classify.layers],
    [
      "classify.layers=1-tanh_1-tanh_1-tanh_1-tanh_1-tanh",
      initialState.classify.layers,
      (state: PlaygroundState) => state.classify.layers,
    ],
    ["classify.features=x_z", ["x", "y"], (state: PlaygroundState) => state.classify.features],
    ["classify.features=x_x", ["x", "y"], (state: PlaygroundState) => state.classify.features],
    ["regress.features=", ["x"], (state: PlaygroundState) => state.regress.features],
    ["classify.share=100", 50, (state: PlaygroundState) => state.classify.share],
    ["surface.start=0.5", [-0.7, 0.8], (state: PlaygroundState) => state.surface.start],
    ["surface.start=0.5_2", [-0.7, 0.8], (state: PlaygroundState) => state.surface.start],
  ])("%s", (text, expected, found) => {
    expect(parsePlayground(new URLSearchParams(text))).toEqual([text]);
    expect(found(playgroundState.value)).toEqual(expected);
  });

  test("reports only values that are not allowed", () => {
    expect(
      parsePlayground(new URLSearchParams("mode=neuron&neuron.data=xor&neuron.color=red&classify.noise=9")),
    ).toEqual(["neuron.color=red", "classify.noise=9"]);
    expect(playgroundState.value).toMatchObject({ mode: "neuron", neuron: { data: "xor" } });
    expect(parsePlayground(formatPlayground())).toEqual([]);
  });
});
