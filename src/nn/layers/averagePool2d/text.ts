import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "avgpool", values: ["window"], example: "avgpool 2" };
