import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "lstm", values: ["units"], example: "lstm 64 bidirectional=true" };
