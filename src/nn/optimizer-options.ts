import { excerpt, OptionError } from "../errors.ts";
import { givenNames, refuseOtherOptions, type OptionNames } from "../option-names.ts";

/**
 * Refuses options that an optimizer does not have: PyTorch's SGD has a momentum, and every optimizer there a learning rate.
 * @throws OptionError
 */
export function requireOptimizerOptions<Options extends object>(
  name: string,
  options: Options,
  names: OptionNames<Options>,
): void {
  const given = givenNames((options as Options | null) ?? {});
  const refuse = (option: string, fix: string) =>
    new OptionError({ where: name, what: `there is no option ${excerpt(option)}`, fix });
  const rate = given.find((option) => option === "lr" || option === "learningRate");
  if (rate !== undefined) throw refuse(rate, "Give learningRate to createTrainer, or to the method update");
  if (given.includes("momentum") && !Object.hasOwn(names, "momentum"))
    throw refuse("momentum", "Choose optimizers.momentum() or optimizers.nesterov()");
  if (given.includes("weightDecay") && !Object.hasOwn(names, "weightDecay"))
    throw refuse("weightDecay", "Choose optimizers.adamW(), lion() or muon(), or add optimizers.coupledDecay()");
  refuseOtherOptions(name, options, names);
}
