import { Option, type Command } from "commander";
import { summary } from "../../nn/summary.ts";
import { createTrainer } from "../../train/index.ts";
import { createNodeBackend, type DeviceChoice } from "../../node/index.ts";
import { blankMnist, buildNetwork, describeNetwork, normalizationOf, stepOptions } from "../training/network.ts";
import { deviceOption } from "../options/options.ts";
import { networkOptions, type NetworkFlags } from "../options/network-options.ts";
import { settleNetwork } from "../options/network-choice.ts";
import { planTable } from "../text/plan-table.ts";
import { print, say, warn } from "../text/terminal.ts";
import { adapterText, field, scaled } from "../text/text.ts";

interface PlanFlags extends NetworkFlags {
  readonly device: DeviceChoice;
  readonly json?: true;
}

/** `wgrad plan`. */
export function planCommand(command: Command): Command {
  command.description("Prints the dispatches of one training step, for examples of MNIST's size.");
  for (const option of networkOptions()) command.addOption(option);
  return command
    .addOption(deviceOption())
    .addOption(new Option("--json", "print the dispatches as JSON"))
    .addHelpText("after", "\nExample:\n  wgrad plan --hidden 256,128 --batch 512")
    .action(() => plan(command));
}

async function plan(command: Command): Promise<void> {
  settleNetwork(command);
  const flags = command.opts<PlanFlags>();
  const backend = await createNodeBackend({ device: flags.device, log: warn });
  try {
    const dataset = blankMnist();
    const model = buildNetwork(flags, dataset, { isTable: false });
    const normalization = normalizationOf(flags, dataset);
    const trainer = await createTrainer({
      ...stepOptions(flags, dataset.count),
      model,
      dataset,
      backend,
      normalization,
      epochs: 1,
      learningRate: 1,
    });
    if (flags.json) {
      print(JSON.stringify({ dispatches: trainer.dispatches, stepBytes: trainer.stepBytes }, undefined, 2).split("\n"));
      return;
    }
    say(field("adapter", adapterText(backend)));
    say(field("network", describeNetwork(flags, model)));
    const { dispatches, stepBytes } = trainer;
    if (stepBytes !== undefined) say(field("memory", memoryText(stepBytes)));
    print(["", ...summary(model).text.split("\n"), "", ...planTable(dispatches)]);
  } finally {
    backend.dispose();
  }
}

const memoryText = (bytes: number) => `${scaled(bytes)}B for the values of a step, without parameters, states and data`;
