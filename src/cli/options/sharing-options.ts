/*
 * The options of a run that several workers train together.
 */
import { Option, type Command } from "commander";
import { changeTypes, type ChangeType } from "../../cluster/training/encode.ts";
import type { SharingSettings } from "../../cluster/training/messages.ts";
import { defaultOuter } from "../../cluster/training/outer.ts";
import { OptionError } from "../../errors.ts";
import { natsOptions, requireNatsAddress, type NatsFlags } from "./nats-options.ts";
import { atLeastZero, oneOf, positiveNumber, wholeNumber } from "./parsers.ts";

export interface SharingFlags extends NatsFlags {
  readonly workers?: number;
  readonly quorum?: number;
  /** By default `--batch` divided by `--workers`. */
  readonly workerBatch?: number;
  readonly innerSteps: number;
  readonly adaptive?: true;
  readonly outerRate: number;
  readonly outerMomentum: number;
  readonly changeType: ChangeType;
  readonly stateEvery: number;
  readonly browsers?: true;
}

/** The options, in the order of the help. */
export function sharingOptions(): Option[] {
  const own = [
    new Option("--workers <number>", "number of workers that the first round waits for (default: 1)").argParser(
      wholeNumber("--workers", 1),
    ),
    new Option(
      "--quorum <number>",
      "number of workers that each round waits for; others have as much time again (default: half of --workers)",
    ).argParser(wholeNumber("--quorum", 1)),
    new Option(
      "--worker-batch <size>",
      "batch size of a worker; its learning rate is --lr times the root of its part of --batch, or --lr for sgd, momentum and nesterov (default: --batch divided by --workers)",
    ).argParser(wholeNumber("--worker-batch", 1)),
    new Option("--inner-steps <number>", "steps of a worker in a round")
      .argParser(wholeNumber("--inner-steps", 1))
      .default(100),
    new Option("--adaptive", "choose the steps of a round by measured speed, from --inner-steps on"),
    new Option("--outer-rate <rate>", "learning rate of the outer step, which applies the mean change of the workers")
      .argParser(positiveNumber("--outer-rate"))
      .default(defaultOuter.learningRate),
    new Option("--outer-momentum <share>", "Nesterov momentum of the outer step")
      .argParser(atLeastZero("--outer-momentum"))
      .default(defaultOuter.momentum),
    new Option("--change-type <type>", `type in which changes are sent: ${changeTypes.join(", ")}`)
      .argParser(oneOf("--change-type", changeTypes))
      .default("float16" satisfies ChangeType, "float16"),
    new Option(
      "--state-every <rounds>",
      "rounds after which workers store the states of their optimizers, with which a stopped run continues",
    )
      .argParser(wholeNumber("--state-every", 1))
      .default(10),
    new Option(
      "--browsers",
      "let browsers join with the page's ?lend: also store the training data as the arrays that they read",
    ),
  ].map((option) => option.helpGroup("NATS:"));
  return [...natsOptions("let workers train the run together"), ...own];
}

/** Options of `wgrad train` that a shared run does not have, by their attribute names. */
const NOT_SHARED = [
  "folds",
  "checkpoint",
  "resume",
  "patience",
  "maxSeconds",
  "lossTolerance",
  "gradientTolerance",
  "sampleEvery",
] as const;

/**
 * How workers share the run; undefined without --nats.
 * @throws OptionError for options of sharing without --nats, and for options that a shared run does not have
 */
export function sharingOf(command: Command): SharingSettings | undefined {
  const flags = command.opts<SharingFlags>();
  requireNatsAddress(command);
  const given = (names: readonly string[]) =>
    command.options.find(
      (option) =>
        names.includes(option.attributeName()) &&
        !["default", undefined].includes(command.getOptionValueSource(option.attributeName())),
    )?.long;
  if (flags.nats === undefined) {
    const where = given([
      "workers",
      "quorum",
      "workerBatch",
      "innerSteps",
      "adaptive",
      "outerRate",
      "outerMomentum",
      "changeType",
      "stateEvery",
      "browsers",
    ]);
    if (where === undefined) return undefined;
    throw new OptionError({ where, what: "there is no server to connect to", fix: "Add --nats with its address" });
  }
  const where = given(NOT_SHARED);
  if (where !== undefined)
    throw new OptionError({ where, what: "a run that workers share does not have this option", fix: "Omit it" });
  const {
    workers = 1,
    innerSteps,
    adaptive: isAdaptive = false,
    outerRate,
    outerMomentum,
    changeType,
    stateEvery,
  } = flags;
  const { quorum = Math.ceil(workers / 2) } = flags;
  if (quorum > workers)
    throw new OptionError({
      where: "--quorum",
      what: `${quorum} is more than the ${workers} of --workers`,
      fix: `Give at most ${workers}`,
    });
  if (outerMomentum >= 1)
    throw new OptionError({
      where: "--outer-momentum",
      what: `${outerMomentum} is out of range`,
      fix: "Give a number from 0 to below 1",
    });
  const outer = { learningRate: outerRate, momentum: outerMomentum };
  return { workers, quorum, innerSteps, outer, changeType, stateEvery, isAdaptive };
}
