/*
 * Configuration files: JSON objects with options under their names in camel case. The published JSON schema, and the
 * check of a file, are derived from the options.
 */
import type { Command } from "commander";
import { DataError, excerpt, OptionError, optionName } from "../../errors.ts";
import { parseJson } from "../../formats/json.ts";
import { readFileOrRefuse } from "../../node/index.ts";
import { nearest } from "../../nearest.ts";
import { alternatives, DeclaredOption, SettableOption, wantedText, type ValueSchema } from "./declared-option.ts";

/** --config, for commands whose options may come from a file. */
export const configOption = (): DeclaredOption =>
  new DeclaredOption(
    "--config <file>",
    "read options from a JSON file, such as RUN.json; options on the command line take precedence",
  ).withFacts({ file: "input" });

/** The options of a command that may come from a file, by their names. */
export function settableOptions(command: Command): Map<string, SettableOption> {
  const options = command.options.filter((option) => option instanceof SettableOption);
  return new Map(options.map((option) => [option.attributeName(), option]));
}

/**
 * Sets a command's options from a configuration file, except those that are given on the command line.
 * @throws DataError for a file that is not a JSON object; OptionError with the file and the option for an unknown
 * option, or a value of the wrong type or outside its range
 */
export async function applyConfigFile(command: Command, path: string): Promise<void> {
  applyConfiguration(command, await readObject(path), path);
}

/**
 * Sets a command's options from an object, except those that are given on the command line.
 * @param where the origin of the object, for messages
 * @throws OptionError as `applyConfigFile` does
 */
export function applyConfiguration(command: Command, configuration: object, where: string): void {
  const options = settableOptions(command);
  for (const [name, value] of Object.entries(configuration)) {
    if (name === "$schema") continue;
    const option = options.get(name);
    if (!option) throw unknownOption(where, name, [...options.keys()]);
    // --print-config writes null for an option that was not given.
    if (value === null && isOptional(option)) continue;
    const parsed = parsedValue(option, value, `${where}, ${name}`);
    if (command.getOptionValueSource(name) !== "cli") command.setOptionValueWithSource(name, parsed, "config");
  }
}

/** Whether an option may be absent; a file may then contain null for it. */
const isOptional = ({ defaultValue }: SettableOption) => defaultValue === undefined;

async function readObject(path: string): Promise<object> {
  const refuse = (what: string) =>
    new DataError({ where: path, what, fix: 'Give a JSON object such as {"epochs": 5}' });
  const text = new TextDecoder().decode(await readFileOrRefuse(path));
  const parsed = parseJson(text);
  if ("fault" in parsed) throw refuse(`this ${parsed.fault}`);
  const { value } = parsed;
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse("this is not a JSON object");
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

/** Parses a value with the option's own parser, so that a file and the command line have the same ranges. */
function parsedValue(option: SettableOption, value: unknown, where: string): unknown {
  if (!hasTypeOf(option.schema, value)) {
    const what = `${option.attributeName()} cannot be ${excerpt(value)}`;
    throw new OptionError({ where, what, fix: `Give ${wantedText(option.schema)}` });
  }
  if (typeof value === "boolean" || !option.parseArg) return value;
  const takesStrings = alternatives(option.schema).some(({ items }) => items?.type === "string");
  if (takesStrings && Array.isArray(value)) return value;
  try {
    return option.parseArg(option.textOf(value), undefined);
  } catch (cause) {
    if (!(cause instanceof OptionError)) throw cause;
    const { what, fix } = cause;
    throw new OptionError({ where: where + placeIn(option, cause), what, fix }, { cause });
  }
}

/** The place within an option's value that an error names, such as ", position 3". */
function placeIn({ flag, facts }: SettableOption, { where = "" }: OptionError): string {
  const name = [flag, ...facts.libraryNames.map((each) => optionName(each))].find((each) =>
    where.startsWith(`${each}, `),
  );
  return name === undefined ? "" : where.slice(name.length);
}

/** Whether a value has the type of a schema; ranges are checked by the option's parser. */
function hasTypeOf(schema: ValueSchema, value: unknown): boolean {
  const { type, items, minLength = 0 } = schema;
  if (schema.anyOf) return schema.anyOf.some((choice) => hasTypeOf(choice, value));
  if (schema.enum) return typeof value === "string";
  if (schema.const !== undefined) return value === schema.const;
  if (type === "array") return Array.isArray(value) && value.every((part) => hasTypeOf(items!, part));
  if (type === "integer") return Number.isInteger(value);
  if (type === "string") return typeof value === "string" && value.length >= minLength;
  return typeof value === type;
}

/** The options of a command that have a value, in the form of a configuration file. */
export function configurationOf(command: Command): Record<string, unknown> {
  const values = command.opts();
  const names = [...settableOptions(command).keys()].filter((name) => values[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, values[name] as unknown]));
}

const withNull = (schema: ValueSchema): ValueSchema => ({
  anyOf: [...alternatives(schema), { type: "null" }],
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
