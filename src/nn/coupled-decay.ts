import { OptionError } from "../errors.ts";
import { refuseOtherOptions } from "../option-names.ts";
import { add, multiply } from "../ops/elementwise/index.ts";
import { pack } from "../ops/layout/index.ts";
import { decayedOptions, perSlice, type DecayedOptions, type Optimizer } from "./optimizer.ts";
import { packGradients } from "./packed.ts";

/**
 * Adds λ w to the gradient before an optimizer uses it, as the option `weight_decay` of PyTorch's SGD, Adam, RMSprop and Adagrad does:
 * momentum and moments contain it. With `adam`, large gradients therefore weaken it, unlike the decay of `adamW` (Loshchilov and Hutter
 * 2019, arXiv 1711.05101). A trainer clips the gradient before λ w is added. The loss that it reports does not contain the penalty ½ λ Σw².
 *
 * @example
 * ```ts
 * const sgd = optimizers.momentum({ momentum: 0.9, form: "pytorch" });
 * const optimizer = optimizers.coupledDecay(sgd, { weightDecay: 5e-4, decays: () => true });
 * ```
 *
 * @param options weightDecay is 0.01 by default
 * @throws OptionError for an unknown option, for one outside its range, or for an optimizer that has a weight decay
 */
export function coupledDecay(optimizer: Optimizer, options: DecayedOptions = {}): Optimizer {
  refuseOtherOptions("coupledDecay", options, { weightDecay: true, decays: true });
  const { weightDecay, decays } = decayedOptions("coupledDecay", options, 0.01);
  if ("weightDecay" in optimizer.options) {
    const what = `${optimizer.name} has a weight decay of its own`;
    throw new OptionError({ where: "coupledDecay", what, fix: "Use its option weightDecay, or another optimizer" });
  }
  return {
    ...optimizer,
    options: { ...optimizer.options, weightDecay },
    update(parameters, gradients, given) {
      const { factors } = given;
      const shares = parameters.map((parameter, position) =>
        decays(parameter) ? weightDecay * (factors?.[position]?.weightDecay ?? 1) : 0,
      );
      if (shares.every((share) => share === 0)) return optimizer.update(parameters, gradients, given);
      const penalty = multiply(pack(parameters), perSlice(parameters, shares));
      return optimizer.update(parameters, add(packGradients(gradients), penalty), given);
    },
  };
}
