import { accuracy, convolutionCommands, frame, running, shifts, subject } from "../convolution/state/index.ts";
import { MOST_SHIFT, shiftsAlong } from "../convolution/settings.ts";
import { aDigit } from "./article.ts";
import type { Lesson } from "./lesson.ts";
import { show } from "./show.ts";

/** Before that, both networks know too little for their losses to differ clearly. */
const ENOUGH = 0.9;

/** The pixels by which the visitor has to move the digit. */
const FAR = 2;

const percent = (share: number) => `${Math.round(100 * share)} %`;

export const shift: Lesson = {
  title: "Convolution and shift",
  hash: "convolution?data=digits",
  question:
    "A convolutional and a dense network learn the same digits, all in the middle of the image. Then new digits are moved by 4 pixels. What happens to the accuracy of the two?",
  choices: ["Both keep it", "The dense network loses the larger share", "Both lose the same share"],
  act: `Train until the convolutional network reads ${percent(ENOUGH)} of the unmoved digits. Then move the digit by ${FAR} or ${MOST_SHIFT} pixels: choose a cell near the border of either grid.`,
  actions: [
    { label: "Start", run: () => running.value || convolutionCommands.toggle() },
    { label: "Show the grids", run: () => show("#convolution-shifts-title") },
  ],
  about: ["convolution-start", "convolution-shifts-convolution", "convolution-shifts-dense"],
  begin() {
    if (running.value) convolutionCommands.toggle();
    convolutionCommands.reset();
    accuracy.value = undefined;
    subject.value = { ...subject.value, shift: [0, 0] };
  },
  follow: () => () => {
    const now = accuracy.value;
    if (!now) return { note: `Step ${frame.value?.step ?? 0}. The accuracy is not known yet.` };
    const { convolution, dense } = now.accuracies;
    const step = `Step ${frame.value?.step ?? 0}: ${percent(convolution[0]!)} of the unmoved digits are right.`;
    if (convolution[0]! < ENOUGH) return { note: step };
    const [right, down] = subject.value.shift;
    const predictions = shifts.value?.predictions;
    if (!predictions || Math.max(Math.abs(right), Math.abs(down)) < FAR) return { note: `${step} Now move the digit.` };
    const cell = shiftsAlong.indexOf(down) * shiftsAlong.length + shiftsAlong.indexOf(right);
    const lost = [convolution, dense].map((accuracies) => 1 - accuracies.at(-1)! / accuracies[0]!);
    const [ofConvolution, ofDense] = lost.map(percent);
    const differ = lost[1]! - lost[0]! >= 0.01;
    const why = differ
      ? "A filter finds its pattern anywhere, and pooling forgives small moves. A dense unit has a weight for each place, and has never seen ink there."
      : "That is close. On 200 images, chance is a part of it: train on, and compare the columns of the table again.";
    return {
      right: Math.max(...lost) < 0.05 ? 0 : differ ? 1 : 2,
      seen: `Your moved digit is ${aDigit(predictions.convolution[cell]!)} to the convolutional network and ${aDigit(predictions.dense[cell]!)} to the dense one. Moved by 4 pixels, the convolutional network loses ${ofConvolution} of its accuracy, and the dense one ${ofDense}. ${why}`,
    };
  },
};
