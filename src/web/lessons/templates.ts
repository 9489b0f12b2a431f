import { test } from "../digits/state/index.ts";
import { readDrawing } from "../digits/view/read-drawing.ts";
import { percent } from "../shared/format.ts";
import { aDigit } from "./article.ts";
import { beginDigits, showView, startDigits } from "./digits.ts";
import type { Lesson } from "./lesson.ts";
import { show } from "./show.ts";

const ENOUGH = 0.8;

export const templates: Lesson = {
  title: "Ten templates",
  hash: "digits?layers=&rate=0.005&epochs=5",
  question:
    "This network has no hidden layer: each of the ten outputs adds up the pixels, each times a weight of its own. What will the weights of the output for 3 look like, drawn as an image?",
  choices: ["Random dots", "A blurred 3", "One clean 3"],
  act: `Train until the test accuracy is above ${100 * ENOUGH} %. Look at the ten images of weights. Then draw a 3 over the sample, and see what the network reads.`,
  actions: [
    { label: "Start", run: startDigits },
    { label: "Show the weights", run: () => showView("weights") },
    { label: "Draw", run: () => show(".pad") },
  ],
  about: ["start", "draw-pad", "weights"],
  begin: beginDigits,
  follow: () => () => {
    const now = test.value;
    if (!now) return { note: "The network has not been tested yet." };
    if (now.accuracy < ENOUGH) return { note: `Test accuracy: ${percent(now.accuracy)}.` };
    const drawn = readDrawing();
    if (!drawn) return { note: `Test accuracy: ${percent(now.accuracy)}. Now draw a digit.` };
    return {
      right: 1,
      seen: `The network reads ${percent(now.accuracy)} of the test digits right, and yours as ${aDigit(drawn.digit)} (${percent(drawn.probability)}). Each image of weights is a blurred template: blue where ink speaks for its digit, orange where it speaks against it. One template for each digit cannot fit all ways to write it.`,
    };
  },
};
