import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "dense", values: ["units"], example: "dense 64 relu" };
