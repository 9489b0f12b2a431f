/*
 * Every option with the value that a run uses, including options that were not given: for --print-config and the report.
 */
import { isRegression } from "../../data/dataset.ts";
import type { TextDataset } from "../../data/text/dataset.ts";
import { usualCheckEvery } from "../../train/stopping.ts";
import { settledFlags, settledOptions } from "./defaults.ts";
import { adams } from "./options.ts";
import { TOKENIZER, VOCABULARY, type TextFlags } from "./text-options.ts";
import { batchOf, optimizerOf } from "../training/network.ts";
import { trainOptions, type TrainFlags } from "./train-options.ts";
import { epochsOf, lossOf, type Run } from "../training/training-run.ts";

/**
 * Every option that a configuration file may contain, in the order of the help. As a file for `--config`, the result gives
 * the same run. An option without a value is null.
 * @param known data and backend, which determine the defaults of epochs, batch and others; these are null without them
 */
export function resolvedConfiguration(
  flags: TrainFlags,
  known?: Pick<Run, "data" | "backend">,
): Record<string, unknown> {
  const given = flags as unknown as Readonly<Record<string, unknown>>;
  const settled: Readonly<Record<string, unknown>> = known
    ? settledBy({ ...known, flags: settledFlags(flags, known.data) })
    : {};
  return Object.fromEntries(
    trainOptions().map((option) => {
      const name = option.attributeName();
      const isOff = option.schema.type === "boolean" && !option.facts.isDetected;
      return [name, settled[name] ?? given[name] ?? (isOff ? false : null)];
    }),
  );
}

function settledBy({
  flags,
  data,
  backend,
}: Pick<Run, "flags" | "data" | "backend">): Readonly<Record<string, unknown>> {
  const { train, table } = data;
  const batch = batchOf(flags, train.count);
  const epochs = epochsOf({ flags, data });
  const stepsPerEpoch = batch === "full" ? 1 : Math.max(1, Math.floor(train.count / batch));
  const totalSteps = Math.min(flags.maxSteps ?? Infinity, epochs * stepsPerEpoch);
  const isMnist = data.kind === "examples" && !table && flags.images === undefined;
  return {
    ...settledOptions(flags),
    ...(table && {
      header: flags.header ?? table.header,
      label: flags.label ?? table.label.name,
      task: isRegression(train) ? "regression" : "classification",
    }),
    ...(data.kind === "text" && textOptionsOf(flags, data.train)),
    ...(isMnist && { data: flags.data ?? (process.env["MNIST_DIR"] || null) }),
    loss: lossOf({ flags, data }),
    weightDecay: optimizerOf(flags).options["weightDecay"],
    ...(flags.optimizer in adams && { beta2: optimizerOf(flags).options["beta2"] }),
    batch,
    epochs,
    maxSteps: totalSteps,
    checkEvery: flags.checkEvery ?? usualCheckEvery({ stepsPerEpoch, totalSteps }),
    device: backend.kind,
  };
}

function textOptionsOf(flags: TextFlags, { context }: TextDataset): Readonly<Record<string, unknown>> {
  const { tokenizer = TOKENIZER, vocabulary = VOCABULARY } = flags;
  return { context, tokenizer, ...(tokenizer === "bpe" && { vocabulary }) };
}
