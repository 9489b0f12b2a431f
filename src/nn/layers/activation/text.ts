import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "activation", values: ["name"], example: "relu" };
