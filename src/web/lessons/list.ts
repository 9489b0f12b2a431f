/*
 * All lessons by their names in the address, in the order in which they build on one another.
 */
import { backpropagation } from "./backpropagation/index.ts";
import { dropout } from "./dropout.ts";
import { hiddenLayers } from "./hidden-layers.ts";
import { learningRate } from "./learning-rate.ts";
import type { Lesson } from "./lesson.ts";
import { mistakes } from "./mistakes.ts";
import { momentum } from "./momentum.ts";
import { oneNeuron } from "./one-neuron.ts";
import { shift } from "./shift.ts";
import { templates } from "./templates.ts";
import { textNumbers } from "./text-numbers.ts";
import { xor } from "./xor.ts";

export const lessons: ReadonlyMap<string, Lesson> = new Map([
  ["templates", templates],
  ["neuron", oneNeuron],
  ["xor", xor],
  ["hidden-layers", hiddenLayers],
  ["learning-rate", learningRate],
  ["momentum", momentum],
  ["backpropagation", backpropagation],
  ["dropout", dropout],
  ["mistakes", mistakes],
  ["shift", shift],
  ["text", textNumbers],
]);

/** The address of a lesson, as a part after the #. */
export const lessonHash = (name: string): string => {
  const { hash } = lessons.get(name)!;
  return `#${hash}${hash.includes("?") ? "&" : "?"}lesson=${name}`;
};
