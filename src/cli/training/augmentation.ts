/*
 * --augment: random changes of the training examples, such as shift=2,rotate.
 */
import { isRegression, type Dataset, type Normalization } from "../../data/dataset.ts";
import { excerpt, OptionError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { augmentations, type Augmentation } from "../../nn/index.ts";
import { refusedAs } from "../options/refused.ts";

/** The amounts that are usual for small images, by the name of the augmentation. */
const usualAmounts = {
  /** The most pixels along each axis. */
  shift: 2,
  /** The largest angle in degrees. */
  rotate: 10,
  /** The largest change of the size, as a fraction. */
  scale: 0.1,
  /** The probability of exchanging left and right. */
  flip: 0.5,
  /** The pixels added on each side before an image is cropped. */
  crop: 2,
  /** The side of the square in pixels. */
  cutout: 6,
  /** The parameter of the beta distribution. */
  mixup: 0.2,
} as const;

type Name = keyof typeof usualAmounts;

type Amounts = ReadonlyMap<Name, number>;

const names = Object.keys(usualAmounts) as Name[];

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
  refusedAs("--augment", () => build(parsed, { fill: 0, classes: undefined }));
  return [...parsed].map(([name, amount]) => `${name}=${amount}`).join(",");
}

/**
 * The augmentations for some data. Shifts, rotations and changes of size become one interpolation; only shifts, which are
 * by whole pixels, need none.
 */
export function augmentationsFor(text: string, data: Dataset, normalization: Normalization): Augmentation[] {
  const classes = isRegression(data) ? undefined : data.classes.length;
  return build(amountsOf(text), { fill: blackOf(normalization), classes });
}

/** The value of black after normalization, with which pixels from outside an image are filled. */
function blackOf({ offset }: Normalization): number {
  return typeof offset === "number" ? offset : offset.reduce((sum, value) => sum + value, 0) / offset.length;
}

function build(amounts: Amounts, { fill, classes }: { fill: number; classes: number | undefined }): Augmentation[] {
  const { affine, crop, cutout, flip, mixup, shift } = augmentations;
  const [shifted, rotate = 0, scaled = 0] = [amounts.get("shift"), amounts.get("rotate"), amounts.get("scale")];
  const isWhole = rotate === 0 && scaled === 0;
  const made: Readonly<Record<Name, (amount: number) => Augmentation | undefined>> = {
    shift: (pixels) => (isWhole ? shift({ pixels, fill }) : undefined),
    rotate: () => undefined,
    scale: () => undefined,
    flip: (probability) => flip({ axis: "horizontal", probability }),
    crop: (padding) => crop({ padding, fill }),
    cutout: (size) => cutout({ size, fill }),
    mixup: (alpha) => mixup({ alpha, classes }),
  };
  const moves = { rotate, scale: [1 - scaled, 1 + scaled] as const, shift: { pixels: shifted ?? 0 }, fill };
  return [...(isWhole ? [] : [affine(moves)]), ...[...amounts].flatMap(([name, amount]) => made[name](amount) ?? [])];
}

function amountsOf(text: string): Amounts {
  const found = new Map<Name, number>();
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

function nameOf(text: string): Name {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  const near = nearest(text, [...names, "affine"]);
  const choose = `Choose from ${usualAugmentations.join(",")}; affine means ${AFFINE.join(",")}, and none nothing`;
  throw refuse(`there is no augmentation ${excerpt(text)}`, near === undefined ? choose : `Did you mean ${near}?`);
}

function amountOf(name: Name, text: string): number {
  const amount = text === "" ? NaN : Number(text);
  if (Number.isFinite(amount)) return amount;
  throw refuse(`${excerpt(text)} is not an amount of ${name}`, `Give a number such as ${name}=${usualAmounts[name]}`);
}

const refuse = (what: string, fix: string) => new OptionError({ where: "--augment", what, fix });
