import type { TextForm } from "../forms.ts";

export const text: TextForm = {
  word: "sequential",
  values: [],
  inner: "layers",
  example: "sequential(dense 64, relu)",
};
