/*
 * Configuration files: JSON objects that give options under their names in camel case. The JSON schema that is
 * published, and the check that a file gets, are made from the options themselves.
 */
import type { Command } from "commander";
import { DataError, excerpt, OptionError } from "../../errors.ts";
import { parseJson } from "../../formats/json.ts";
import { readFileOrRefuse } from "../../node/index.ts";
import { nearest } from "./nearest.ts";
import { DeclaredOption, SettableOption, wantedText, type ValueSchema } from "./declared-option.ts";

/** --config, for commands whose options a file may give. */
export const configOption = (): DeclaredOption =>
  new DeclaredOption(
    "--config <file>",
    "take options from a JSON file; those given here win, such as RUN.json",
  ).withFacts({ file: "input" });

/** The options of a command that a file may give, by their names. */
export function settableOptions(command: Command): Map<string, SettableOption> {
  const options = command.options.filter((option) => option instanceof SettableOption);
  return new Map(options.map((option) => [option.attributeName(), option]));
}

/**
 * Gives a command's options what a configuration file says, but for those that the command line gave.
 * @throws DataError for a file that is no JSON object; OptionError naming the file and the option for one that there is
 * not, or a value outside its range
 */
export async function applyConfigFile(command: Command, path: string): Promise<void> {
  const options = settableOptions(command);
  for (const [name, value] of Object.entries(await readObject(path))) {
    if (name === "$schema") continue;
    const option = options.get(name);
    if (!option) throw unknownOption(path, name, [...options.keys()]);
    // As --print-config writes an option that was not given.
    if (value === null && isOptional(option)) continue;
    const parsed = parsedValue(option, value, `${path}, ${name}`);
    if (command.getOptionValueSource(name) !== "cli") command.setOptionValueWithSource(name, parsed, "config");
  }
}

/** Whether a run can do without the option; a file may then say null. */
const isOptional = ({ defaultValue }: SettableOption) => defaultValue === undefined;

async function readObject(path: string): Promise<object> {
  const refuse = (what: string) =>
    new DataError({ where: path, what, fix: 'Give a JSON object such as {"epochs": 5}' });
  const text = new TextDecoder().decode(await readFileOrRefuse(path));
  const parsed = parseJson(text);
  if ("fault" in parsed) throw refuse(`this ${parsed.fault}`);
  const { value } = parsed;
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse("this is no JSON object");
  return value;
}

function unknownOption(path: string, name: string, known: readonly string[]): OptionError {
  const near = nearest(name, known);
  return new OptionError({
    where: path,
    what: `there is no option ${excerpt(name)}`,
    fix: near === undefined ? "`wgrad train --print-config` lists them" : `Did you mean ${near}?`,
  });
}

/** A value as the option's own parser takes it, so that a file and the command line are held to the same ranges. */
function parsedValue(option: SettableOption, value: unknown, where: string): unknown {
  if (!hasKindOf(option.schema, value)) {
    const what = `${option.attributeName()} cannot be ${excerpt(value)}`;
    throw new OptionError({ where, what, fix: `Give ${wantedText(option.schema)}` });
  }
  if (typeof value === "boolean" || !option.parseArg) return value;
  if (Array.isArray(value) && value.every((part) => typeof part === "string")) return value;
  const text = Array.isArray(value) ? value.join(",") : String(value);
  try {
    return option.parseArg(text, undefined);
  } catch (cause) {
    if (!(cause instanceof OptionError)) throw cause;
    throw new OptionError({ where, what: cause.what, ...(cause.fix !== undefined && { fix: cause.fix }) }, { cause });
  }
}

function hasKindOf(schema: SettableOption["schema"], value: unknown): boolean {
  const {
    type,
    enum: names,
    const: only,
    anyOf,
    items,
    minLength = 0,
  } = schema as {
    type?: string;
    minLength?: number;
    enum?: readonly unknown[];
    const?: unknown;
    anyOf?: readonly SettableOption["schema"][];
    items?: SettableOption["schema"];
  };
  if (anyOf) return anyOf.some((choice) => hasKindOf(choice, value));
  if (names) return typeof value === "string";
  if (only !== undefined) return value === only;
  if (type === "array") return Array.isArray(value) && value.every((part) => hasKindOf(items!, part));
  if (type === "integer") return Number.isInteger(value);
  if (type === "string") return typeof value === "string" && value.length >= minLength;
  return typeof value === type;
}

/** Every option of a command with its value, as a configuration file would give them; those without a value are left out. */
export function configurationOf(command: Command): Record<string, unknown> {
  const values = command.opts();
  const names = [...settableOptions(command).keys()].filter((name) => values[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, values[name] as unknown]));
}

const withNull = (schema: ValueSchema): ValueSchema => ({
  anyOf: [...((schema["anyOf"] as readonly ValueSchema[] | undefined) ?? [schema]), { type: "null" }],
});

/** The JSON schema of a command's configuration files. */
export function configurationSchema(command: Command): object {
  const properties = [...settableOptions(command)].map(([name, option]) => {
    const { defaultValue, description } = option;
    const schema = isOptional(option) ? withNull(option.schema) : option.schema;
    return [name, { description, ...schema, ...(defaultValue !== undefined && { default: defaultValue as unknown }) }];
  });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A configuration file of `wgrad train`",
    type: "object",
    additionalProperties: false,
    properties: { $schema: { type: "string" }, ...Object.fromEntries(properties) },
  };
}
