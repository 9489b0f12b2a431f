export { excerpt } from "./text.ts";

/** What every refusal of wgrad says: what was wrong, where, and what to do about it. */
export interface Refusal {
  /** What was wrong, with the offending values. */
  what: string;
  /** Where: an op, a file, a row and column, a byte offset, an option. */
  where?: string;
  /** What the caller can do. */
  fix?: string;
}

const sentence = (text: string) => (text.endsWith("?") ? text : `${text}.`);

/**
 * The base class of every error that wgrad throws on purpose. The message reads
 * `where: what. fix`; the three parts are kept as fields for programs.
 */
export class WgradError extends Error {
  readonly what: string;
  readonly where: string | undefined;
  readonly fix: string | undefined;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    const { what, where, fix } = refusal;
    super(`${where === undefined ? "" : `${where}: `}${what}.${fix === undefined ? "" : ` ${sentence(fix)}`}`, options);
    this.name = new.target.name;
    this.what = what;
    this.where = where;
    this.fix = fix;
  }
}

/** How a message names an option: by itself, or with the value that it suggests. */
export type OptionNaming = (option: string, value?: unknown) => string;

const libraryNaming: OptionNaming = (option, value) =>
  value === undefined ? option : `${option}: ${JSON.stringify(value)}`;

let naming = libraryNaming;

/**
 * Has messages name options as a command line does, from now on.
 * @param name gives the command line's words for an option of the library; undefined leaves the library's
 */
export function nameOptionsBy(name: (option: string, value?: unknown) => string | undefined): void {
  naming = (option, value) => name(option, value) ?? libraryNaming(option, value);
}

/** An option of the library in a message, such as `patience` or `drop: ["id"]`; the command line names its own. */
export const optionName: OptionNaming = (option, value) => naming(option, value);

/** A graph that cannot be: shapes or types that do not fit an op. */
export class GraphError extends WgradError {}

/** An option or argument outside its range. */
export class OptionError extends WgradError {}

/** A file that is missing, truncated or not what its name says. */
export class DataError extends WgradError {}

/** No adapter, a lost device, a limit of the adapter, or a shader that does not compile. */
export class DeviceError extends WgradError {}

/** The device is gone, and with it all that it held; `Backend.restart` opens another one. */
export class DeviceLostError extends DeviceError {}

/** Training met a loss or gradient that is NaN or infinite; the parameters are as they were before that step. */
export class DivergedError extends WgradError {
  /** The step that was left out, counted from 1. */
  readonly step: number;

  constructor(step: number, refusal: Refusal) {
    super(refusal);
    this.step = step;
  }
}
