/*
 * The options of a trial that came in a message. They pass the same checks as those of a configuration file.
 */
import { Command } from "commander";
import { DataError } from "../../errors.ts";
import type { DataReference } from "../../cluster/sweeps/trial.ts";
import { DATA_OPTIONS } from "../sweep/data-transfer.ts";
import { applyConfiguration } from "./config.ts";
import { trainOptions } from "./train-options.ts";

/**
 * A command with the options of a trial. Files that the options name are not those of this machine: `paths` has the
 * places of the data that the trial refers to.
 * @throws OptionError for an option that does not exist or that a sweep does not have, and for a value of the wrong type or
 * outside its range; DataError for a file without a reference
 */
export function commandOfTrial(
  where: string,
  configuration: Readonly<Record<string, unknown>>,
  paths: ReadonlyMap<string, string>,
): Command {
  const command = new Command("trial").exitOverride();
  for (const option of trainOptions()) if (option.facts.sweep !== "none") command.addOption(option);
  const isFile = (name: string) => (DATA_OPTIONS as readonly string[]).includes(name);
  const unknown = Object.keys(configuration).find((name) => isFile(name) && !paths.has(name));
  if (unknown !== undefined)
    throw new DataError({ where, what: `${unknown} names a file, but there is no digest of its contents` });
  const values = Object.entries(configuration).filter(([name]) => !isFile(name));
  applyConfiguration(command, Object.fromEntries([...values, ...paths]), where);
  return command;
}

/** Whether the data of a trial are those of different options of files, with one source of examples. */
export function requireData(where: string, data: readonly DataReference[]): void {
  const names = data.map(({ option }) => option);
  const isKnown = names.every((name) => (DATA_OPTIONS as readonly string[]).includes(name));
  const sources = names.filter((name) => ["data", "images", "csv", "text"].includes(name));
  if (isKnown && new Set(names).size === names.length && sources.length === 1) return;
  throw new DataError({ where, what: `these are not the options of one data set: ${names.join(", ")}` });
}
