import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "maxpool", values: ["window"], example: "maxpool 2" };
