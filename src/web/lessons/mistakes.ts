import { test } from "../digits/state/index.ts";
import { chosen } from "../digits/view/confusion.tsx";
import { percent } from "../shared/format.ts";
import { aDigit } from "./article.ts";
import { beginDigits, showView, startDigits } from "./digits.ts";
import type { Lesson } from "./lesson.ts";

const ENOUGH = 0.9;

export const mistakes: Lesson = {
  title: "What it mistakes",
  hash: "digits?layers=64-relu&epochs=20",
  question:
    "Even a trained network reads some new digits wrong. With each answer it gives a probability, which tells how sure it is. How sure is it of the worst of its wrong answers?",
  choices: ["About 50 %", "About 75 %", "Over 90 %"],
  act: `Train until the test accuracy is above ${100 * ENOUGH} %. Then choose a cell beside the diagonal of the confusion matrix: digits of its row that were read as its column.`,
  actions: [
    { label: "Start", run: startDigits },
    { label: "Show the matrix", run: () => showView("confusion") },
  ],
  about: ["start", "tab-confusion", "confusion"],
  begin() {
    beginDigits();
    chosen.value = undefined;
  },
  follow: () => () => {
    const now = test.value;
    const cell = chosen.value;
    if (!now) return { note: "The network has not been tested yet." };
    const accuracy = `Test accuracy: ${percent(now.accuracy)}.`;
    const [worst] = now.mistakes;
    if (now.accuracy < ENOUGH || !worst) return { note: accuracy };
    if (!cell || cell.actual === cell.predicted || cell.count === 0)
      return { note: `${accuracy} Now choose a cell with mistakes.` };
    const { count } = cell;
    return {
      right: worst.confidence < 0.625 ? 0 : worst.confidence < 0.9 ? 1 : 2,
      seen: `Your cell has ${count === 1 ? "one image" : `${count} images`} of ${aDigit(cell.actual)} that was read as ${aDigit(cell.predicted)}. The worst mistake of all is ${aDigit(worst.actual)}, which the network calls ${aDigit(worst.predicted)} with ${percent(worst.confidence)}. Training asks for sure answers about the training digits. It never asks for doubt, so a high probability is no proof.`,
    };
  },
};
