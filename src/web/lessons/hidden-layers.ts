import { percent } from "../shared/format.ts";
import { change, playgroundState } from "../playground/state/index.ts";
import type { Lesson } from "./lesson.ts";
import { beginPlayground, frameOf, startAgain } from "./playground.ts";

/** The steps without a hidden layer, after which its accuracy hardly changes. */
const STEPS = 200;

/** The accuracy that the network with a hidden layer has to reach. */
const ENOUGH = 0.98;

function train(units: number): void {
  change("classify", { layers: units === 0 ? [] : [{ units, activation: "tanh" }] });
  startAgain();
}

export const hiddenLayers: Lesson = {
  title: "Why hidden layers",
  hash: "playground?classify.noise=0.05&classify.layers=none&classify.learningRate=0.03&classify.speed=300",
  question:
    "Without a hidden layer, this network is a single neuron: its border is a straight line. Now four hidden units come between the inputs and the output, each with a straight border of its own. What changes?",
  choices: ["Nothing: lines stay lines", "The border can close around the blue points", "It only learns faster"],
  act: `Train without a hidden layer for ${STEPS} steps. Then train with four hidden units, until ${100 * ENOUGH} % of the points are right.`,
  actions: [
    { label: "Train without", run: () => train(0) },
    { label: "Train with 4 units", run: () => train(4) },
  ],
  about: ["playground-accuracy", "playground-add-layer"],
  begin: beginPlayground,
  follow() {
    let without: number | undefined;
    return () => {
      const now = frameOf("classify");
      const layers = playgroundState.value.classify.layers.length;
      // A frame of the network before the change of the layers does not count.
      if (!now || now.hidden.length !== layers) return { note: "Not trained yet." };
      if (layers === 0 && now.step >= STEPS) without = now.accuracy;
      const here = `Step ${now.step}: ${percent(now.accuracy)}.`;
      if (without === undefined) return { note: `${here} Train without a hidden layer for ${STEPS} steps first.` };
      if (layers === 0) return { note: `Without a hidden layer: ${percent(without)}. Now train with 4 units.` };
      if (now.accuracy < ENOUGH) return { note: `${here} Without a hidden layer it was ${percent(without)}.` };
      return {
        right: 1,
        seen: `Without a hidden layer, ${percent(without)} were right; with one, ${percent(now.accuracy)} after ${now.step} steps. Each hidden unit has a straight border of its own (see its picture in the network). The output adds up their values, and their borders close around the blue points.`,
      };
    };
  },
};
