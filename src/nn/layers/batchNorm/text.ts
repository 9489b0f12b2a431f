import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "batchnorm", values: [], example: "batchnorm" };
