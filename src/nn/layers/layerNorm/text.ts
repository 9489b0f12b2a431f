import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "layernorm", values: [], example: "layernorm" };
