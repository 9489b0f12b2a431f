import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "rmsnorm", values: [], example: "rmsnorm" };
