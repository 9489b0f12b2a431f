import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "embedding", values: ["entries", "width"], example: "embedding 1000 16" };
