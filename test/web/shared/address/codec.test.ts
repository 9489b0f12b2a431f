import { describe, expect, test } from "vitest";
import {
  choice,
  fallbacks,
  flag,
  keyed,
  list,
  range,
  readFields,
  record,
  tuple,
  unknownParameters,
  writeFields,
} from "../../../../src/web/shared/address/codec.ts";

const layer = {
  units: range(1, 64, 1, 8),
  activation: choice(["relu", "tanh"], "relu"),
  dropout: range(0, 0.9, 0.05, 0),
};

const group = {
  layers: list(record(layer, { between: "-", required: 2 }), { between: ",", none: "none", most: 2 }, []),
  place: tuple<readonly [number, number]>([range(-1, 1, "any", 0), range(-1, 1, "any", 0.5)], "_"),
  learningRate: keyed("rate", range(1e-6, 10, "any", 0.1)),
  raw: flag({ on: "yes", off: "no" }, true),
};

const read = (text: string, prefix = "") => {
  const faults: string[] = [];
  return { values: readFields(new URLSearchParams(text), group, faults, prefix), faults };
};

test("writes only settings that differ from their defaults, or all of them", () => {
  const params = new URLSearchParams();
  writeFields(params, group, { ...fallbacks(group), learningRate: 0.2, raw: false }, { prefix: "a." });
  expect(decodeURIComponent(params.toString())).toBe("a.rate=0.2&a.raw=no");
  expect(read(params.toString(), "a.")).toEqual({
    values: { ...fallbacks(group), learningRate: 0.2, raw: false },
    faults: [],
  });
  const all = new URLSearchParams();
  writeFields(all, group, fallbacks(group), { all: true });
  expect(all.toString()).toBe("layers=none&place=0_0.5&rate=0.1&raw=yes");
});

test("omits optional parts of a record with default values, and accepts the separator in the last part", () => {
  const layers = [
    { units: 4, activation: "tanh" as const, dropout: 1e-7 },
    { units: 2, activation: "relu" as const, dropout: 0 },
  ];
  expect(group.layers.format(layers)).toBe("4-tanh-1e-7,2-relu");
  expect(group.layers.parse("4-tanh-1e-7,2-relu")).toEqual(layers);
});

describe("reports a value that is not allowed, and uses the default", () => {
  test.each([
    "layers=4",
    "layers=0-relu",
    "layers=4-relu-",
    "layers=4-relu-0.1-2",
    "layers=4-relu,",
    "layers=1-relu,1-relu,1-relu",
    "place=0",
    "place=0_2",
    "place=0_0_0",
    "rate=",
    "rate=x",
    "rate=1e999",
    "raw=maybe",
  ])("%s", (text) => {
    expect(read(text)).toEqual({ values: fallbacks(group), faults: [text] });
  });
});

test("reports parameters that no group knows", () => {
  const params = new URLSearchParams("b.rate=1&b.learningRate=1&rate=2");
  expect(unknownParameters(params, { "b.": group })).toEqual(["b.learningRate=1", "rate=2"]);
});
