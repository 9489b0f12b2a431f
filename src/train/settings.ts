/*
 * Checks of a trainer's options that do not depend on its model and data.
 */
import { excerpt, OptionError, optionName } from "../errors.ts";
import { choiceOf } from "../choices.ts";
import type { Augmentation } from "../nn/augmentation.ts";
import { requireCount, requireNumber, requirePositiveFloat32, requireSeed } from "../nn/checks.ts";
import type { Optimizer } from "../nn/optimizers.ts";
import type { Schedule } from "../nn/schedules.ts";
import { activationStorages, precisions } from "../precisions.ts";
import { nonFiniteChoices, type NonFiniteChoice } from "./guard.ts";
import type { AnyTrainerOptions } from "./options.ts";

/**
 * Checks the options that do not depend on each other, except the batch sizes.
 * @throws OptionError
 */
export function requireSettings(options: AnyTrainerOptions): void {
  const { optimizer, schedule, learningRate, epochs, maxSteps, clipNorm, seed } = options;
  const { onNonFinite, snapshotSeconds, precision, activationStorage, averageDecay, augment, stepInputs } = options;
  if (optimizer !== undefined) requireOptimizer(optimizer);
  if (schedule !== undefined) requireSchedule(schedule);
  requirePositiveFloat32("learningRate", learningRate);
  requireCount("epochs", epochs);
  if (maxSteps !== undefined) requireCount("maxSteps", maxSteps);
  if (clipNorm !== undefined) requirePositiveFloat32("clipNorm", clipNorm);
  if (options.recompute !== undefined) requireCount("recompute", options.recompute);
  if (seed !== undefined) requireSeed("seed", seed);
  if (onNonFinite !== undefined) requireNonFiniteChoice(onNonFinite);
  if (snapshotSeconds !== undefined)
    requireNumber("snapshotSeconds", snapshotSeconds, snapshotSeconds > 0, "a number above 0, or Infinity");
  if (precision !== undefined) requireOneOf("precision", precision, precisions);
  if (activationStorage !== undefined) requireOneOf("activationStorage", activationStorage, activationStorages);
  if (averageDecay !== undefined)
    requireNumber("averageDecay", averageDecay, averageDecay > 0 && averageDecay < 1, "a number in (0, 1)");
  if (augment !== undefined) requireAugmentations(augment);
  if (stepInputs !== undefined) requireFunctions("stepInputs", stepInputs, "(step, totalSteps) => step / totalSteps");
}

function requireAugmentations(augment: readonly Augmentation[]): void {
  const wrong: unknown = Array.isArray(augment)
    ? augment.find((one: Partial<Augmentation> | null) => typeof one !== "object" || typeof one?.apply !== "function")
    : augment;
  if (Array.isArray(augment) && wrong === undefined && !augment.includes(undefined as never)) return;
  const what = `${excerpt(wrong)} is not ${Array.isArray(augment) ? "an augmentation" : "a list of augmentations"}`;
  throw new OptionError({ where: "augment", what, fix: "Give a list of objects with a method apply" });
}

/**
 * Requires functions by name.
 * @param example a function, for the message
 * @throws OptionError
 */
export function requireFunctions(where: string, functions: Readonly<Record<string, unknown>>, example: string): void {
  if (typeof functions !== "object" || functions === null || Array.isArray(functions)) {
    const what = `${excerpt(functions)} is not an object of functions`;
    throw new OptionError({ where, what, fix: `Give an object such as { name: ${example} }` });
  }
  for (const [name, value] of Object.entries(functions)) {
    if (!/^[A-Za-z]\w*$/.test(name)) {
      const what = `${excerpt(name)} is not a valid name`;
      throw new OptionError({ where, what, fix: 'Give letters, digits and "_", starting with a letter' });
    }
    if (typeof value === "function") continue;
    const what = `${excerpt(value)} is not a function`;
    throw new OptionError({ where: `${where} ${name}`, what, fix: `Give a function such as ${example}` });
  }
}

function requireOptimizer(optimizer: Optimizer): void {
  if (typeof (optimizer as Partial<Optimizer> | null)?.update === "function") return;
  throw new OptionError({
    where: "optimizer",
    what: `${excerpt(optimizer)} is not an optimizer`,
    fix: "Give an optimizer such as optimizers.adam()",
  });
}

/** A function that makes a schedule, such as schedules.cosine without the parentheses, returns a function, or refuses a step as its options. */
function isSchedule(schedule: Schedule): boolean {
  try {
    return typeof schedule === "function" && typeof schedule(0, 1) === "number";
  } catch (error) {
    if (error instanceof OptionError) return false;
    throw error;
  }
}

function requireSchedule(schedule: Schedule): void {
  if (isSchedule(schedule)) return;
  throw new OptionError({
    where: "schedule",
    what: `${excerpt(schedule)} is not a schedule`,
    fix: "Give a schedule such as schedules.cosine(), or a function of the step that returns a number",
  });
}

function requireNonFiniteChoice(choice: NonFiniteChoice): void {
  if (nonFiniteChoices.includes(choice)) return;
  const what = `unknown value ${excerpt(choice)}`;
  throw new OptionError({ where: "onNonFinite", what, fix: `Choose one of ${nonFiniteChoices.join(", ")}` });
}

function requireOneOf<Name extends string>(option: string, given: Name, names: readonly Name[]): void {
  if (names.includes(given)) return;
  const what = `unknown ${option} ${excerpt(given)}`;
  throw new OptionError({ where: optionName(option), what, fix: choiceOf(given, names) });
}
