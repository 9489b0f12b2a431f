import type { TextForm } from "../forms.ts";

export const text: TextForm = {
  word: "tied",
  values: ["entries", "width"],
  inner: "layers",
  example: "tied(positions 64, transformer 4 512 causal=true, layernorm) 65 128",
};
