import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "globalavgpool", values: [], example: "globalavgpool" };
