import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "groupnorm", values: ["groups"], example: "groupnorm 4" };
