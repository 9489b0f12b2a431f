import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "gru", values: ["units"], example: "gru 64 sequences=true" };
