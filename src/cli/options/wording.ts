/*
 * Messages of the library name options of the library. The command line's options have other names; all that differ
 * beyond dashes and capital letters stand here.
 */
import { shellQuoted } from "../text/terminal.ts";

const otherNames: Readonly<Record<string, string>> = {
  batchSize: "batch",
  directory: "data",
  inputShape: "shape",
  learningRate: "lr",
  mostCategories: "max-categories",
  onNonFinite: "on-nan",
};

/**
 * Names options as the command line does; for `nameOptionsBy`.
 * @param flags every option of the commands, such as "--batch"
 * @returns a function that gives such as "--drop id", and undefined for what is no option of the command line
 */
export function commandLineNaming(flags: ReadonlySet<string>): (option: string, value?: unknown) => string | undefined {
  return (option, value) => {
    // Such as "fitUntil patience".
    const name = option.split(" ").at(-1)!;
    if (name === "missing" && value === "keep") return "--missing mean or --missing zero";
    const dashed = otherNames[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const flag = value === false ? `--no-${dashed}` : `--${dashed}`;
    if (!flags.has(flag)) return undefined;
    return value === undefined || typeof value === "boolean" ? flag : `${flag} ${shellQuoted(Array.isArray(value) ? value.join(",") : String(value))}`;
  };
}
