/*
 * Checks of the names of options, so that a misspelled one is not ignored. TypeScript finds them in programs with types.
 */
import { excerpt, OptionError } from "./errors.ts";
import { nearest, type Synonyms } from "./nearest.ts";

const synonyms: Synonyms = {
  dim: "axes",
  dims: "axes",
  keepdim: "keepAxes",
  keepdims: "keepAxes",
  lr: "learningRate",
  batch: "batchSize",
  steps: "maxSteps",
  gradclip: "clipNorm",
  clipgradnorm: "clipNorm",
  validationdata: "validation",
  eps: "epsilon",
  numheads: "heads",
  iscausal: "causal",
  ignoreindex: "ignore",
  weight: "classWeights",
  posweight: "positiveWeights",
  stepsize: "every",
  gamma: "factor",
  etamin: "final",
  pctstart: "rise",
};

/** The names of the options of a function; the type requires all of them. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/**
 * Refuses options of other names.
 * @param where the function, for the message
 * @throws OptionError if the options are not an object, or with the first unknown name and the option that it most likely
 * means
 */
export function refuseOtherOptions<Options extends object>(
  where: string,
  options: Options,
  names: OptionNames<Options>,
): void {
  requireOptionsObject(where, options, exampleOf(names));
  const wrong = givenNames(options).find((name) => !Object.hasOwn(names, name));
  if (wrong !== undefined) throw unknownOption(where, wrong, names);
}

/**
 * Refuses options whose names are almost those of others. More options may be given, such as the fields of a loaded model.
 * @param where the function, for the message
 * @throws OptionError if the options are not an object, or with the first such name and the option that it most likely means
 */
export function refuseMisspelledOptions<Options extends object>(
  where: string,
  options: Options,
  names: OptionNames<Options>,
): void {
  requireOptionsObject(where, options, exampleOf(names));
  const isMisspelled = (name: string) =>
    !Object.hasOwn(names, name) && nearest(name, Object.keys(names), synonyms) !== undefined;
  const wrong = givenNames(options).find(isMisspelled);
  if (wrong !== undefined) throw unknownOption(where, wrong, names);
}

/**
 * Refuses options that are not an object. The other functions of this file do so, too.
 * @param where the function, for the message
 * @throws OptionError
 */
export function requireOptionsObject(where: string, options: unknown, fix = "Give an object such as { … }"): void {
  if (typeof options === "object" && options !== null) return;
  throw new OptionError({ where, what: `${excerpt(options)} is not an object of options`, fix });
}

function exampleOf(names: Readonly<Record<string, true>>): string {
  const [first] = Object.keys(names);
  return first === undefined ? "Give none" : `Give an object such as { ${first}: … }`;
}

/** The options that are given; those that are undefined are not. */
export const givenNames = (options: object): string[] =>
  Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]));

function unknownOption(where: string, name: string, names: Readonly<Record<string, true>>): OptionError {
  const known = Object.keys(names);
  const near = nearest(name, known, synonyms);
  const all = known.length === 0 ? "It has no options" : `Choose among ${known.join(", ")}`;
  const fix = near === undefined ? all : `Did you mean ${near}?`;
  return new OptionError({ where, what: `there is no option ${excerpt(name)}`, fix });
}
