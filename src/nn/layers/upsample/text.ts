import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "upsample", values: ["factor"], example: "upsample 2" };
