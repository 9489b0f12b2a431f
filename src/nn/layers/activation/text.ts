import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "activation", values: ["name"], isActivation: true, example: "relu" };
