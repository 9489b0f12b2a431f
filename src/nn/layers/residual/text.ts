import type { TextForm } from "../forms.ts";

export const text: TextForm = {
  word: "residual",
  values: [],
  inner: "layers",
  example: "residual(conv 16 3x3 padding=same relu, conv 16 3x3 padding=same)",
};
