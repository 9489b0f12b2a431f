import type { TextForm } from "../forms.ts";

export const text: TextForm = {
  word: "transformer",
  values: ["heads", "hidden"],
  example: "transformer 4 512 gelu causal=true",
};
