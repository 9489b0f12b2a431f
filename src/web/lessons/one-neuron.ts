import { rounded } from "../shared/format.ts";
import type { Lesson } from "./lesson.ts";
import { beginPlayground, frameOf, startPlayground } from "./playground.ts";

export const oneNeuron: Lesson = {
  title: "One neuron",
  hash: "playground?mode=neuron&neuron.speed=30",
  question:
    "A neuron computes w₁x + w₂y + b of a point, and answers blue if that is positive. Training changes these three numbers. Which shape can the border between its two answers take?",
  choices: ["Only a straight line", "A curve around the points", "Any shape"],
  act: "Press Start, and watch the border move until every point is on its side: accuracy 100 %.",
  actions: [{ label: "Start", run: startPlayground }],
  about: ["playground-start", "playground-accuracy"],
  begin: beginPlayground,
  follow: () => () => {
    const now = frameOf("neuron");
    if (!now || now.step === 0) return { note: "The neuron has not been trained yet." };
    if (now.accuracy < 1) return { note: `Step ${now.step}: ${Math.round(100 * now.accuracy)} % of the points.` };
    const [w1, w2, b] = Array.from(now.parameters, (value) => rounded(value).replace("-", "−"));
    return {
      right: 0,
      seen: `After ${now.step} steps, all points are right with w₁ = ${w1}, w₂ = ${w2} and b = ${b}. The border is where w₁x + w₂y + b = 0, which is a straight line for any three numbers. The arrow at it is (w₁, w₂), and points to the blue side.`,
    };
  },
};
