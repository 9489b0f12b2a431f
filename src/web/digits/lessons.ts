/*
 * Short lessons on the Digits tab. Each has an address that contains its state.
 */

export interface Lesson {
  readonly title: string;
  /** The address's part after the #, without the lesson. */
  readonly hash: string;
  /** One thing to predict, one to do and one to see, in at most 80 words each. */
  readonly predict: string;
  readonly act: string;
  readonly see: string;
}

export const lessonNames = ["none", "templates"] as const;

export const lessons: Readonly<Record<Exclude<(typeof lessonNames)[number], "none">, Lesson>> = {
  templates: {
    title: "Lesson 1: ten templates",
    hash: "digits?layers=&rate=0.005&epochs=5",
    predict:
      "This network has no hidden layer: each output adds up the pixels, each times a weight. What will the ten images of weights look like after training?",
    act: "Wait until the test accuracy is above 80 %, then open Weights × ink below and draw a 3 over the sample, shifted to one side.",
    see: "Each image becomes a template: blue where ink speaks for the digit, orange where it speaks against it. One template for each digit cannot fit all ways to write it.",
  },
};
