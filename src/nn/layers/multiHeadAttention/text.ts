import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "attention", values: ["heads"], example: "attention 4 causal=true" };
