import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "noise", values: ["deviation"], example: "noise 0.1" };
