/*
 * A network is described by --hidden with --activation and --dropout, by --layers, or by --preset.
 */
import type { Command } from "commander";
import { OptionError } from "../../errors.ts";
import { presetGpt, presets, textDefaults, type PresetName } from "../training/presets.ts";
import { settableOptions } from "./config.ts";

/** The options that describe a network of dense layers. */
const DENSE = ["hidden", "activation", "dropout"] as const;

/** The preset for text without --layers and --preset: nanoGPT's network for characters on a CPU. */
const TEXT_PRESET: PresetName = "gpt-micro";

interface Choice {
  readonly layers?: string;
  readonly preset?: PresetName;
  readonly text?: string;
}

/**
 * Checks the options that describe the network, and sets the options for which --preset and --text have other defaults,
 * unless they are given.
 * @param varied names of options that a sweep varies
 * @throws OptionError if the options describe several networks, or do not fit text
 */
export function settleNetwork(command: Command, varied: readonly string[] = []): void {
  const { layers, preset, text } = command.opts<Choice>();
  const hasLayers = layers !== undefined || varied.includes("layers");
  const isChosenOrVaried = (name: string) => varied.includes(name) || isChosen(command, name);
  if (hasLayers && preset !== undefined) throw both("--layers", "--preset");
  if (text !== undefined) return settleTextNetwork(command, { hasLayers, isChosen: isChosenOrVaried });
  if (presetGpt(preset)) throw forText(preset!);
  const [first] = [
    ...(hasLayers ? ["--layers"] : []),
    ...(preset !== undefined && preset !== "mlp" ? ["--preset"] : []),
  ];
  const dense = DENSE.find(isChosenOrVaried);
  if (first !== undefined && dense !== undefined) throw both(first, `--${dense}`);
  if (preset !== undefined) setDefaults(command, presets[preset].defaults);
}

interface TextChoice {
  readonly hasLayers: boolean;
  isChosen(name: string): boolean;
}

function settleTextNetwork(command: Command, { hasLayers, isChosen: isOptionChosen }: TextChoice): void {
  const { preset } = command.opts<Choice>();
  if (preset !== undefined && !presetGpt(preset)) throw notForText(preset);
  for (const [name, { flag, facts }] of settableOptions(command)) {
    if (facts.suitsText || !isOptionChosen(name)) continue;
    const what = "this option has no meaning for text";
    throw new OptionError({ where: flag, what, fix: "Omit it, or omit --text" });
  }
  if (hasLayers && isOptionChosen("dropout")) throw both("--layers", "--dropout");
  requireTextLoss(command.opts<{ loss?: string }>());
  setDefaults(command, hasLayers ? textDefaults : { preset: TEXT_PRESET, ...textDefaults });
}

function requireTextLoss({ loss = "softmaxCrossEntropy" }: { readonly loss?: string }): void {
  if (loss === "softmaxCrossEntropy") return;
  const what = `${loss} is not a loss for text`;
  throw new OptionError({ where: "--loss", what, fix: "Omit this option: the loss is softmaxCrossEntropy" });
}

/** Sets options that are not given. */
function setDefaults(command: Command, defaults: object): void {
  for (const [name, value] of Object.entries(defaults)) {
    if (!isGiven(command, name)) command.setOptionValueWithSource(name, value, "preset");
  }
}

/** Whether an option is on the command line or in a configuration file, with a value. */
const isGiven = (command: Command, name: string) =>
  ["cli", "config"].includes(command.getOptionValueSource(name) ?? "default");

/** Whether an option is on the command line, or has a value other than its default in a configuration file. */
function isChosen(command: Command, name: string): boolean {
  if (command.getOptionValueSource(name) === "cli") return true;
  const value: unknown = command.getOptionValue(name);
  const declared: unknown = command.options.find((option) => option.attributeName() === name)?.defaultValue;
  // --print-config writes false for a switch that is off.
  const usual = declared ?? (typeof value === "boolean" ? false : undefined);
  return isGiven(command, name) && JSON.stringify(value) !== JSON.stringify(usual);
}

const both = (one: string, other: string) =>
  new OptionError({
    where: one,
    what: `this option describes the network, and so does ${other}`,
    fix: "Use only one of them",
  });

const forText = (preset: PresetName) =>
  new OptionError({ where: "--preset", what: `${preset} is a network for text`, fix: "Use `wgrad train --text FILE`" });

const notForText = (preset: PresetName) =>
  new OptionError({
    where: "--preset",
    what: `${preset} is not a network for text`,
    fix: `Choose one of ${Object.keys(presets)
      .filter((name) => presetGpt(name as PresetName))
      .join(", ")}`,
  });
