/*
 * Messages of the library name its options. On the command line they name the command line's options instead.
 */
import type { Option } from "commander";
import { shellQuoted } from "../text/terminal.ts";
import { DeclaredOption } from "./declared-option.ts";

/**
 * Names options as the command line does; for `nameOptionsBy`.
 * @param options those of all commands
 * @returns a function that gives such as "--drop id", and undefined for an option that the command line does not have
 */
export function commandLineNaming(options: readonly Option[]): (option: string, value?: unknown) => string | undefined {
  const declared = options.filter((option) => option instanceof DeclaredOption);
  return (name, value) => {
    const found = declared.filter(
      (option) => option.attributeName() === name || option.facts.libraryNames.includes(name),
    );
    if (value === undefined) return found[0]?.flag;
    const ofLibrary = found.flatMap(({ facts }) => facts.libraryValues.get(value) ?? []);
    if (ofLibrary.length > 0) return ofLibrary.map((each) => found[0]!.written(each, shellQuoted)).join(" or ");
    return found.map((option) => option.written(value, shellQuoted)).find((text) => text !== undefined);
  };
}
