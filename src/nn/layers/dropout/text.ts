import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "dropout", values: ["rate"], example: "dropout 0.25" };
