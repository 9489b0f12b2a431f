import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "spatialdropout", values: ["rate"], example: "spatialdropout 0.2" };
