import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "conv1d", values: ["outputs", "window"], example: "conv1d 16 5 relu" };
