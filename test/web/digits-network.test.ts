import { expect, test } from "vitest";
import { activation, dense, dropout, flatten } from "../../src/index.ts";
import { hiddenLayers } from "../../src/web/digits/service/network.ts";

test("the editor shows activation and dropout layers with the dense layer before them, and no output layer", () => {
  const layers = [
    flatten(),
    dropout(0.1),
    dense(8),
    activation("tanh"),
    dropout(0.25),
    dense(4, { activation: "relu" }),
    dense(2),
  ];
  const own = { type: "own", units: 5 };
  expect(hiddenLayers(layers.map(({ config }) => config).toSpliced(4, 0, own))).toEqual([
    { units: 8, activation: "tanh", dropout: 0.25 },
    { units: 4, activation: "relu", dropout: 0 },
  ]);
});
