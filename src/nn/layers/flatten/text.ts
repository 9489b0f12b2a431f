import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "flatten", values: [], example: "flatten" };
