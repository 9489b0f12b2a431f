import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "globalmaxpool", values: [], example: "globalmaxpool" };
