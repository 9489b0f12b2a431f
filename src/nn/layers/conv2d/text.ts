import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "conv", values: ["outputs", "window"], example: "conv 16 3x3 relu" };
