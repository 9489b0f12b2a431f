/*
 * Messages of the library name the library's options. On the command line they name the command line's options instead.
 */
import type { Option } from "commander";
import { shellQuoted } from "../text/terminal.ts";
import { DeclaredOption } from "./declared-option.ts";

/**
 * Returns a function for `nameOptionsBy` that names options as the command line does, such as "--drop id". It returns
 * undefined for an option that the command line does not have.
 * @param options the options of all commands
 */
export function commandLineNaming(options: readonly Option[]): (option: string, value?: unknown) => string | undefined {
  const declared = options.filter((option) => option instanceof DeclaredOption);
  return (name, value) => {
    // An option that declares the library's name comes before others that happen to have the same name.
    const found = [
      ...declared.filter(({ facts }) => facts.libraryNames.includes(name)),
      ...declared.filter((option) => option.attributeName() === name),
    ];
    if (value === undefined) return found[0]?.flag;
    // Several commands may declare the same option.
    const ofLibrary = new Set(found.flatMap(({ facts }) => facts.libraryValues.get(value) ?? []));
    if (ofLibrary.size > 0) return [...ofLibrary].map((each) => found[0]!.written(each, shellQuoted)).join(" or ");
    return found.map((option) => option.written(value, shellQuoted)).find((text) => text !== undefined);
  };
}
