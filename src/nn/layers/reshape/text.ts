import type { TextForm } from "../forms.ts";

export const text: TextForm = { word: "reshape", values: ["shape"], lists: ["shape"], example: "reshape 28x28x1" };
