import type { Lesson } from "./lesson.ts";
import { beginPlayground, frameOf, startPlayground } from "./playground.ts";

/** Enough steps for the line to go through the same places several times. */
const STEPS = 100;

export const xor: Lesson = {
  title: "The perceptron and XOR",
  hash: "playground?mode=neuron&neuron.data=own&neuron.points=-0.8_-0.8_0*0.8_0.8_0*-0.8_0.8_1*0.8_-0.8_1&neuron.speed=30",
  question:
    "Four points, and opposite corners have the same color. This is XOR: blue if exactly one of x and y is high. How many of the four can a single neuron get right at the same time?",
  choices: ["Two", "Three", "All four"],
  act: `Press Start, and let the perceptron take ${STEPS} steps. At each point on the wrong side, it moves its line.`,
  actions: [{ label: "Start", run: startPlayground }],
  about: ["playground-start", "playground-accuracy"],
  begin: beginPlayground,
  follow() {
    let most = 0;
    return () => {
      const now = frameOf("neuron");
      if (!now || now.step === 0) return { note: "The perceptron has not been trained yet." };
      const right = Math.round(4 * now.accuracy);
      most = Math.max(most, right);
      if (now.step < STEPS) return { note: `Step ${now.step}: ${right} of 4 right, ${most} at best.` };
      return {
        right: 1,
        seen: `In ${now.step} steps, ${most} of 4 points were right at best, and ${right} are now. No straight line has all four on their sides, so the perceptron never comes to rest. Minsky and Papert made this famous in 1969; the next lesson shows the way out.`,
      };
    };
  },
};
