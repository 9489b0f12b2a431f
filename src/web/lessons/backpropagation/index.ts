import type { Lesson } from "../lesson.ts";
import { inputs, learningRate } from "./network.ts";
import { nextPhase, phase, phases, reached, restart, round } from "./state.ts";
import { numberText } from "./text.ts";
import { BackpropagationView } from "./view.tsx";

export const backpropagation: Lesson = {
  title: "Backpropagation, step by step",
  hash: "playground",
  question: `One example goes through a network with two inputs, two hidden units and one output. It should answer 1. The second input is ${inputs[1]}. When the weights are updated to come closer, how much will the two weights of this input change?`,
  choices: ["As much as the others", "More, to make up for the 0", "Not at all"],
  act: "Press Next step, and follow the numbers: forward to the output and its loss, back to each weight, and the update.",
  actions: [
    { label: "Next step", isRepeated: true, run: nextPhase },
    { label: "Start over", run: restart },
  ],
  about: [],
  begin: restart,
  follow: () => () => {
    if (!reached("update")) return { note: `Step ${phases.indexOf(phase.value) + 1} of ${phases.length}.` };
    const { y, loss, after, dh1 } = round.value;
    return {
      right: 2,
      seen: `The answer rose from ${numberText(y)} to ${numberText(after.y)}, and the loss fell from ${numberText(loss)} to ${numberText(after.loss)}. The gradient of a weight is the error behind it times the value before it: ${numberText(dh1)} × ${inputs[1]} = 0 for the second input, whose weights stay. Every other weight moved by ${learningRate} × its gradient.`,
    };
  },
  View: BackpropagationView,
};
