/*
 * A network is described by --hidden with --activation and --dropout, by --layers, or by --preset.
 */
import type { Command } from "commander";
import { OptionError } from "../../errors.ts";
import { presets, type PresetName } from "../training/presets.ts";

/** The options that describe a network of dense layers. */
const DENSE = ["hidden", "activation", "dropout"] as const;

/**
 * Checks the options that describe the network, and sets the options for which --preset has other defaults, unless they
 * are given.
 * @param varied names of options that a sweep varies
 * @throws OptionError if the options describe several networks
 */
export function settleNetwork(command: Command, varied: readonly string[] = []): void {
  const { layers, preset } = command.opts<{ layers?: string; preset?: PresetName }>();
  const hasLayers = layers !== undefined || varied.includes("layers");
  const [first] = [
    ...(hasLayers ? ["--layers"] : []),
    ...(preset !== undefined && preset !== "mlp" ? ["--preset"] : []),
  ];
  if (hasLayers && preset !== undefined) throw both("--layers", "--preset");
  const dense = DENSE.find((name) => varied.includes(name) || isChosen(command, name));
  if (first !== undefined && dense !== undefined) throw both(first, `--${dense}`);
  const defaults: object = preset === undefined ? {} : presets[preset].defaults;
  for (const [name, value] of Object.entries(defaults)) {
    if (!isGiven(command, name)) command.setOptionValueWithSource(name, value, "preset");
  }
}

const isGiven = (command: Command, name: string) =>
  ["cli", "config"].includes(command.getOptionValueSource(name) ?? "default");

/** Whether an option is on the command line, or has a value other than its default in a configuration file. */
function isChosen(command: Command, name: string): boolean {
  if (command.getOptionValueSource(name) === "cli") return true;
  const usual: unknown = command.options.find((option) => option.attributeName() === name)?.defaultValue;
  return isGiven(command, name) && JSON.stringify(command.getOptionValue(name)) !== JSON.stringify(usual);
}

const both = (one: string, other: string) =>
  new OptionError({
    where: one,
    what: `this option describes the network, and so does ${other}`,
    fix: "Use only one of them",
  });
