/*
 * --augment: random changes of the training examples, such as shift=2,rotate.
 */
import type { Dataset, Normalization } from "../../data/dataset.ts";
import { excerpt, OptionError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import type { Augmentation } from "../../nn/index.ts";
import { augmentationsOf, contextOf, type AugmentationName } from "../../train/augmentation-amounts.ts";
import { refusedAs } from "../options/refused.ts";

/** The amounts that are usual for small images. */
const usualAmounts: Readonly<Record<AugmentationName, number>> = {
  shift: 2,
  rotate: 10,
  scale: 0.1,
  flip: 0.5,
  crop: 2,
  cutout: 6,
  mixup: 0.2,
};

const names = Object.keys(usualAmounts) as AugmentationName[];

/** The names with their usual amounts, such as "shift=2", for the help. */
export const usualAugmentations: readonly string[] = names.map((name) => `${name}=${usualAmounts[name]}`);

/**
 * Parses augmentations such as "shift,rotate=5", and writes all amounts: "shift=2,rotate=5". "affine" stands for shift,
 * rotate and scale. "none" stays as it is, for sweeps that compare it with others.
 * @throws OptionError for an unknown name or an amount that is out of range
 */
export function augmentText(text: string): string {
  if (text === "none") return text;
  const parsed = amountsOf(text);
  // Building them checks the amounts.
  refusedAs("--augment", () => augmentationsOf(parsed, { fill: 0, classes: undefined }));
  return [...parsed].map(([name, amount]) => `${name}=${amount}`).join(",");
}

/** The augmentations for some data. */
export const augmentationsFor = (text: string, data: Dataset, normalization: Normalization): Augmentation[] =>
  augmentationsOf(amountsOf(text), contextOf(data, normalization));

/**
 * The amounts in a text, in its order.
 * @throws OptionError for an unknown name or an invalid amount
 */
export function amountsOf(text: string): ReadonlyMap<AugmentationName, number> {
  const found = new Map<AugmentationName, number>();
  for (const part of text.split(",")) {
    const [, name = "", amount] = /^\s*([^=]*?)\s*(?:=\s*(.*?)\s*)?$/.exec(part)!;
    for (const each of name === "affine" && amount === undefined ? AFFINE : [nameOf(name)]) {
      if (found.has(each)) throw refuse(`${each} is given twice`, "Give it once");
      found.set(each, amount === undefined ? usualAmounts[each] : amountOf(each, amount));
    }
  }
  return found;
}

const AFFINE = ["shift", "rotate", "scale"] as const;

function nameOf(text: string): AugmentationName {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  const near = nearest(text, [...names, "affine"]);
  const choose = `Choose from ${usualAugmentations.join(",")}; affine means ${AFFINE.join(",")}, and none nothing`;
  throw refuse(`there is no augmentation ${excerpt(text)}`, near === undefined ? choose : `Did you mean ${near}?`);
}

function amountOf(name: AugmentationName, text: string): number {
  const amount = text === "" ? NaN : Number(text);
  if (Number.isFinite(amount)) return amount;
  throw refuse(`${excerpt(text)} is not an amount of ${name}`, `Give a number such as ${name}=${usualAmounts[name]}`);
}

const refuse = (what: string, fix: string) => new OptionError({ where: "--augment", what, fix });
