import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "depthwise", values: ["window"], example: "depthwise 3x3" };
