/*
 * Functional models from their configs. A config has no code, so the function must be given again; its layers must be
 * those of the config.
 */
import { excerpt, OptionError } from "../errors.ts";
import { drawnFrom, uninitialized } from "./build.ts";
import { buildFunctional, type FunctionalConfig, type FunctionalModel, type ModelFunction } from "./functional.ts";
import { initializedWith, requireNoOthers, type GivenValues } from "./given-values.ts";
import { isRecord } from "./checks.ts";
import type { ConfigValue, LayerConfig } from "./layers/layer.ts";

const WHERE = "model config";

/** Whether a value is the config of a functional model, apart from the values in it. */
export const isFunctionalConfig = (config: unknown): config is FunctionalConfig =>
  typeof config === "object" && config !== null && (config as Partial<FunctionalConfig>).type === "functional";

/**
 * Makes a functional model from its config.
 * @param config the value of `model.config`, for example from a file
 * @param compute the function of the model
 * @throws OptionError that names the layer and the option in which the function differs from the config, or the parameter
 * whose values are missing, unknown or of another length
 */
export function functionalFromConfig<Input extends string, Output extends string>(
  config: unknown,
  compute: ModelFunction<Input, Output>,
  values?: GivenValues,
): FunctionalModel<Input, Output> {
  const { inputs, seed, layers, name } = requireConfig(config);
  const options = { inputs, seed, ...(name !== undefined && { name }) };
  const described = buildFunctional(options, compute, uninitialized);
  requireSameLayers(layers, described.config.layers);
  if (values) requireNoOthers(described, values);
  const initialization = values ? initializedWith(values) : drawnFrom(seed);
  return buildFunctional(options, compute, initialization) as FunctionalModel<Input, Output>;
}

function requireConfig(config: unknown): FunctionalConfig {
  const { inputs, layers } = isFunctionalConfig(config) ? config : ({} as Partial<FunctionalConfig>);
  if (isRecord(inputs) && isRecord(layers) && Object.values(layers).every(isRecord)) return config as FunctionalConfig;
  throw new OptionError({
    where: WHERE,
    what: `${excerpt(config)} is not the config of a functional model`,
    fix: "Give the value of model.config",
  });
}

type Layers = FunctionalConfig["layers"];

function requireSameLayers(wanted: Layers, found: Layers): void {
  const fix = "Give the function that the model was made with";
  const withType = (layers: Layers, name: string) => `${layers[name]!.type} ${excerpt(name)}`;
  for (const name of Object.keys(found)) {
    const where = `${WHERE}, layer ${excerpt(name)}`;
    if (!Object.hasOwn(wanted, name)) {
      const names = Object.keys(wanted).map((own) => withType(wanted, own));
      const what = `the function uses ${withType(found, name)}, and the config has ${names.join(", ") || "no layers"}`;
      throw new OptionError({ where, what, fix });
    }
    const difference = differenceOf(wanted[name]!, found[name]!);
    if (difference !== undefined) throw new OptionError({ where, what: difference, fix });
  }
  const unused = Object.keys(wanted).find((name) => !Object.hasOwn(found, name));
  if (unused === undefined) return;
  const what = `the function does not use ${withType(wanted, unused)}`;
  throw new OptionError({ where: `${WHERE}, layer ${excerpt(unused)}`, what, fix });
}

/** What differs between the config of a layer and that of the function's layer. */
function differenceOf(wanted: LayerConfig, found: LayerConfig): string | undefined {
  const option = [...new Set(["type", ...Object.keys(wanted), ...Object.keys(found)])].find(
    (name) => JSON.stringify(wanted[name]) !== JSON.stringify(found[name]),
  );
  if (option === undefined) return undefined;
  const shown = (value: ConfigValue | undefined) => (value === undefined ? "missing" : excerpt(value));
  return `its ${option} is ${shown(wanted[option])} in the config, and ${shown(found[option])} in the function's layer`;
}
