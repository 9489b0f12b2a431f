import { change, playgroundState, problem } from "../playground/state/index.ts";
import { rounded } from "../shared/format.ts";
import type { Lesson } from "./lesson.ts";
import { beginPlayground, frameOf, startAgain } from "./playground.ts";

/** The share of the way down that counts as the bottom. */
const BOTTOM = 0.99;

function descend(optimizer: "sgd" | "momentum"): void {
  change("surface", { optimizer, momentum: 0.9 });
  startAgain();
}

export const momentum: Lesson = {
  title: "Momentum",
  hash: "playground?mode=surface&surface.optimizer=sgd&surface.learningRate=0.01&surface.speed=100",
  question:
    "Plain gradient descent follows the slope alone. With momentum, each step adds 0.9 of the step before, as a ball that keeps rolling. With the same learning rate, how many steps does it need to the bottom?",
  choices: ["About as many", "A fraction of them", "More: it rolls too far"],
  act: "Descend from the ring without momentum, until 99 % of the way down are done. Then do the same with momentum.",
  actions: [
    { label: "Without momentum", run: () => descend("sgd") },
    { label: "With momentum", run: () => descend("momentum") },
  ],
  about: ["playground-surface", "playground-optimizer"],
  begin: beginPlayground,
  follow() {
    const steps: { sgd?: number; momentum?: number } = {};
    let [first, optimizerAtStart]: [number, string] = [NaN, ""];
    return () => {
      const now = frameOf("surface");
      const { optimizer } = playgroundState.value.surface;
      const losses = problem.value?.surface?.losses;
      if (!now || !losses) return { note: "Not started yet." };
      if (now.step === 0) [first, optimizerAtStart] = [now.loss, optimizer];
      // NaN, if the start was not seen, makes this false.
      const isDown = first - now.loss >= BOTTOM * (first - Math.min(...losses)) && optimizer === optimizerAtStart;
      if (isDown && (optimizer === "sgd" || optimizer === "momentum")) steps[optimizer] ??= now.step;
      const { sgd: without, momentum: withIt } = steps;
      if (without === undefined || withIt === undefined) {
        const done = without === undefined ? "" : ` Without momentum: ${without} steps.`;
        const doneWith = withIt === undefined ? "" : ` With momentum: ${withIt} steps.`;
        return { note: `Step ${now.step}: loss ${rounded(now.loss)}.${done}${doneWith}` };
      }
      return {
        right: 1,
        seen: `${without} steps without momentum, ${withIt} with it. Steps in the same direction add up, to ten times a single one at 0.9. Across the valley they alternate and cancel out. The ball also rolls past the bottom and comes back, which is the bend in the path.`,
      };
    };
  },
};
