import { Option, type Command } from "commander";
import { createTrainer } from "../../train/index.ts";
import { createNodeBackend, type DeviceChoice } from "../index.ts";
import { blankMnist, buildNetwork, describeNetwork, normalizationOf, stepOptions } from "./network.ts";
import { deviceOption, networkOptions, type NetworkFlags } from "./options.ts";
import { planTable } from "./plan-table.ts";
import { adapterText, field } from "./text.ts";

interface PlanFlags extends NetworkFlags {
  readonly device: DeviceChoice;
  readonly json?: true;
}

/** `wgrad plan`. */
export function planCommand(command: Command): Command {
  command.description("Prints what one training step runs: its list of dispatches, for data of MNIST's size.");
  for (const option of networkOptions()) command.addOption(option);
  return command
    .addOption(deviceOption())
    .addOption(new Option("--json", "print the list as JSON"))
    .addHelpText("after", "\nExample:\n  wgrad plan --hidden 256,128 --batch 512")
    .action(plan);
}

async function plan(flags: PlanFlags): Promise<void> {
  const backend = await createNodeBackend({ device: flags.device });
  try {
    const dataset = blankMnist();
    const model = buildNetwork(flags, dataset, false);
    const normalization = normalizationOf(flags, dataset);
    const trainer = await createTrainer({ ...stepOptions(flags, dataset.count), model, dataset, backend, normalization, epochs: 1, learningRate: 1 });
    if (flags.json) {
      console.log(JSON.stringify({ dispatches: trainer.dispatches }, undefined, 2));
      return;
    }
    console.log(field("adapter", adapterText(backend)));
    console.log(field("network", describeNetwork(flags, model)));
    console.log(`\n${planTable(trainer.dispatches)}`);
  } finally {
    backend.dispose();
  }
}
