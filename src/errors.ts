export { excerpt } from "./text.ts";

/** The parts of an error message: what was wrong, where, and how to fix it. */
export interface Refusal {
  /** What was wrong, with the invalid values. */
  what: string;
  /** Where: an op, a file, a row and column, a byte offset, or an option. */
  where?: string;
  /** What the caller can do. */
  fix?: string;
}

const sentence = (text: string) => (text.endsWith("?") ? text : `${text}.`);

/**
 * The base class of all errors that wgrad throws on purpose. The message is `where: what. fix`; the three parts are
 * also fields.
 */
export class WgradError extends Error {
  declare readonly what: string;
  declare readonly where: string | undefined;
  declare readonly fix: string | undefined;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    const { what, where, fix } = refusal;
    super(`${where === undefined ? "" : `${where}: `}${what}.${fix === undefined ? "" : ` ${sentence(fix)}`}`, options);
    // The classes of the library state their names, since a minifier renames classes.
    this.name = new.target.name;
    // Not enumerable: Node would print the parts again after the message and the stack.
    for (const [part, value] of Object.entries({ what, where, fix })) Object.defineProperty(this, part, { value });
  }
}

/** How messages name an option: without a value, or with a suggested value. */
export type OptionNaming = (option: string, value?: unknown) => string;

const libraryNaming: OptionNaming = (option, value) =>
  value === undefined ? option : `${option}: ${JSON.stringify(value)}`;

let naming = libraryNaming;

/**
 * Makes messages name options in another way, for example as options of a command line.
 * @param name returns the new text for an option of the library, or undefined to keep the library's text
 */
export function nameOptionsBy(name: (option: string, value?: unknown) => string | undefined): void {
  naming = (option, value) => name(option, value) ?? libraryNaming(option, value);
}

/** An option in a message, such as `patience` or `drop: ["id"]`. The command line shows its own options instead. */
export const optionName: OptionNaming = (option, value) => naming(option, value);

/** Shapes or types that do not fit an op, or an invalid graph. */
export class GraphError extends WgradError {
  static override readonly name: string = "GraphError";
}

/** An option or argument outside its range. */
export class OptionError extends WgradError {
  static override readonly name: string = "OptionError";
}

/** Data that is invalid, or a file that is missing, truncated, or in another format. */
export class DataError extends WgradError {
  static override readonly name: string = "DataError";
}

/** No adapter, a lost device, a limit of the adapter, or a shader that does not compile. */
export class DeviceError extends WgradError {
  static override readonly name: string = "DeviceError";
}

/** The device was lost with all its contents; `Backend.restart` opens another one. */
export class DeviceLostError extends DeviceError {
  static override readonly name: string = "DeviceLostError";
}

/** The loss or gradient of a step was NaN or infinite. The parameters are those before that step. */
export class DivergedError extends WgradError {
  static override readonly name: string = "DivergedError";
  /** The step that was not applied, counted from 1. */
  readonly step: number;

  constructor(step: number, refusal: Refusal) {
    super(refusal);
    this.step = step;
  }
}
