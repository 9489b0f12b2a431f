import { activations } from "../activations.ts";
import { byFolder } from "../layers/by-folder.ts";
import type { TextForm } from "../layers/forms.ts";

/** The text form of each built-in type of layer. */
export const textForms = byFolder<TextForm>(import.meta.glob("../layers/*/text.ts", { eager: true, import: "text" }));

/** A name as texts are compared: without regard to case, dashes and underscores. */
export const plainName = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, "");

/** The types of layers by their words and by the names of the types, and the activations, all as `plainName`. */
export const typesByWord: ReadonlyMap<string, string> = new Map(
  Object.entries(textForms).flatMap(([type, { word }]) => [
    [word, type],
    [plainName(type), type],
  ]),
);

/** The activations by their plain names. */
export const activationsByName: ReadonlyMap<string, string> = new Map(
  Object.keys(activations).map((name) => [plainName(name), name]),
);

/** The words that a text may use for layers, without the names of the types. */
export const layerWords: readonly string[] = Object.values(textForms).map(({ word }) => word);
