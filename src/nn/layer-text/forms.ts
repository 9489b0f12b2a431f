import { activations } from "../activations.ts";
import { byFolder } from "../layers/by-folder.ts";
import type { TextForm } from "../layers/forms.ts";

/** The text form of each built-in type of layer. */
export const textForms = byFolder<TextForm>(import.meta.glob("../layers/*/text.ts", { eager: true, import: "text" }));

/** The type of layer that the name of an activation stands for. */
export const activationType = Object.keys(textForms).find((type) => textForms[type]!.isActivation)!;

/** A name as texts are compared: without regard to case, dashes and underscores. */
export const plainName = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, "");

/** The type of layer with this word or name. */
export function findType(word: string): string | undefined {
  const plain = plainName(word);
  return Object.keys(textForms).find((type) => textForms[type]!.word === plain || plainName(type) === plain);
}

/** The activation with this name. */
export function findActivation(word: string): string | undefined {
  const plain = plainName(word);
  return activationNames().find((name) => plainName(name) === plain);
}

export const activationNames = (): readonly string[] => Object.keys(activations);

/** The words for layers, without the names of the types. */
export const layerWords = (): readonly string[] => Object.values(textForms).map(({ word }) => word);
