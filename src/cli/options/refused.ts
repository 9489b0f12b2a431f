import { OptionError, WgradError } from "../../errors.ts";

/** Runs an action, and names an option of the command line in its errors. */
export function refusedAs<Result>(option: string, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    if (!(cause instanceof WgradError)) throw cause;
    const { where, what, fix } = cause;
    const place = where === undefined ? option : `${option}, ${where}`;
    throw new OptionError({ where: place, what, fix }, { cause });
  }
}
