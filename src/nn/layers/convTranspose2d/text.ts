import type { TextForm } from "../forms.ts";

export const text: TextForm = {
  word: "convtranspose",
  values: ["outputs", "window"],
  example: "convtranspose 16 3x3 stride=2",
};
