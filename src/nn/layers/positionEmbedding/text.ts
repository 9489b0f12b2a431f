import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "positions", values: ["length"], example: "positions 64" };
