/*
 * Which parameters are trained, and with which learning rate and weight decay.
 */
import { excerpt, OptionError } from "../errors.ts";
import { nameOf } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { requireNumber, requirePositiveFloat32 } from "../nn/checks.ts";
import { isFloat32 } from "../float32.ts";
import { refuseOtherOptions, type OptionNames } from "../option-names.ts";
import type { Optimizer, ParameterFactors } from "../nn/optimizers.ts";

/**
 * Selects parameters of a model. A name selects the parameter `layers.0.weight`, or, like `layers.0` or a model's name,
 * all parameters below it. A function receives the name and the parameter, whose `shape` it may use.
 */
export type ParameterChoice = string | readonly string[] | ((name: string, parameter: Tensor) => boolean);

/** Parameters with their own learning rate or weight decay. */
export interface ParameterGroup {
  readonly parameters: ParameterChoice;
  /** Multiplies the learning rate, above 0; 1 by default. To stop training parameters, use `frozen`. */
  readonly rateFactor?: number;
  /** Multiplies the optimizer's weight decay, at least 0; 1 by default. */
  readonly decayFactor?: number;
}

const GROUP_OPTIONS: OptionNames<ParameterGroup> = { parameters: true, rateFactor: true, decayFactor: true };

/**
 * The parameters that a choice selects.
 * @throws OptionError for a name that matches no parameters
 */
function chosen(where: string, choice: ParameterChoice, parameters: readonly Tensor[]): Set<Tensor> {
  if (typeof choice === "function") return new Set(parameters.filter((own) => choice(nameOf(own), own)));
  const names = typeof choice === "string" ? [choice] : choice;
  if (!Array.isArray(names) || names.some((name) => typeof name !== "string")) {
    const fix = 'Give a name such as "layers.0", a list of names, or a function of a name';
    throw new OptionError({ where, what: `${excerpt(choice)} does not choose parameters`, fix });
  }
  const found = names.flatMap((name: string) => {
    const below = parameters.filter((own) => nameOf(own) === name || nameOf(own).startsWith(`${name}.`));
    if (below.length > 0) return below;
    const fix = `Choose from ${parameters.map(nameOf).join(", ")}`;
    throw new OptionError({ where, what: `the model has no parameters named ${excerpt(name)}`, fix });
  });
  return new Set(found);
}

/**
 * The parameters that are not frozen.
 * @throws OptionError for a name that matches no parameters, or if all are frozen
 */
export function trainedOf(parameters: readonly Tensor[], frozen: ParameterChoice | undefined): readonly Tensor[] {
  if (frozen === undefined) return parameters;
  const still = chosen("frozen", frozen, parameters);
  const trained = parameters.filter((own) => !still.has(own));
  if (trained.length > 0) return trained;
  throw new OptionError({ where: "frozen", what: "all parameters are frozen", fix: "Leave at least one to train" });
}

/**
 * The factors of the learning rate and weight decay for each parameter.
 * @returns undefined without groups
 * @throws OptionError for a factor outside its range, a name that matches no parameters, a parameter in two groups, or
 * an optimizer that does not support factors or has no weight decay
 */
export function factorsOf(
  parameters: readonly Tensor[],
  trained: readonly Tensor[],
  groups: readonly ParameterGroup[] | undefined,
  optimizer: Optimizer,
): readonly ParameterFactors[] | undefined {
  if (groups === undefined) return undefined;
  const factors = new Map<Tensor, ParameterFactors>();
  if (!Array.isArray(groups)) {
    const fix = "Give a list such as [{ parameters, rateFactor: 0.1 }]";
    throw new OptionError({ where: "parameterGroups", what: `${excerpt(groups)} is not a list`, fix });
  }
  groups.forEach((group: ParameterGroup, index) => {
    const where = `parameterGroups[${index}]`;
    refuseOtherOptions(where, group, GROUP_OPTIONS);
    const { rateFactor = 1, decayFactor = 1 } = group;
    requirePositiveFloat32(`${where} rateFactor`, rateFactor);
    const isAllowed = isFloat32(decayFactor) && decayFactor >= 0;
    requireNumber(`${where} decayFactor`, decayFactor, isAllowed, "a number of at least 0");
    requireApplied(where, group, optimizer);
    for (const own of chosen(where, group.parameters, parameters)) {
      if (factors.has(own)) {
        const fix = "Choose each parameter in one group";
        throw new OptionError({ where, what: `${nameOf(own)} is already in another group`, fix });
      }
      factors.set(own, { learningRate: rateFactor, weightDecay: decayFactor });
    }
  });
  return trained.map((own) => factors.get(own) ?? { learningRate: 1, weightDecay: 1 });
}

/** @throws OptionError if the optimizer would ignore a group's factors */
function requireApplied(where: string, { decayFactor }: ParameterGroup, { name, options, takesFactors }: Optimizer) {
  if (!takesFactors) {
    const what = `the optimizer ${excerpt(name)} does not apply factors of parameters`;
    throw new OptionError({ where, what, fix: "Use a built-in optimizer, or one with takesFactors" });
  }
  if (decayFactor === undefined || "weightDecay" in options) return;
  const what = `the optimizer ${name} has no weight decay`;
  throw new OptionError({ where: `${where} decayFactor`, what, fix: "Use adamW, lion or muon" });
}
