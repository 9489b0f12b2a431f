import { Option, type Command } from "commander";
import { createWebGPUBackend } from "../../backends/on-demand.ts";
import type { TuningResult } from "../../backends/webgpu/index.ts";
import { stepProducts } from "../../nn/products.ts";
import { dawnGpu, fileTuningStore } from "../../node/index.ts";
import { batchSizeOf, blankMnist, buildNetwork, describeNetwork } from "../training/network.ts";
import { networkOptions, type NetworkFlags } from "../options/network-options.ts";
import { settleNetwork } from "../options/network-choice.ts";
import { print, say } from "../text/terminal.ts";
import { adapterText, field } from "../text/text.ts";

interface TuneFlags extends NetworkFlags {
  readonly full?: true;
}

/** Milliseconds for all matrix products together. On a software adapter, most of it is spent on compiling. */
const BUDGET = 1000;

/** `wgrad tune`. */
export function tuneCommand(command: Command): Command {
  command
    .summary("Finds the fastest tilings of matrix products on this adapter.")
    .description(
      "Times tilings of the network's matrix products on this adapter, for about a second, and saves the fastest for " +
        "later runs. All tilings give the same bits.",
    );
  for (const option of networkOptions()) command.addOption(option);
  return command
    .addOption(
      new Option("--full", "time every tiling of every product, which takes a minute or more on a software adapter"),
    )
    .addHelpText("after", "\nExample:\n  wgrad tune --hidden 512,256 --batch 128")
    .action(() => tuneProducts(command));
}

async function tuneProducts(command: Command): Promise<void> {
  settleNetwork(command);
  const flags = command.opts<TuneFlags>();
  const data = blankMnist();
  const model = buildNetwork(flags, data, { isTable: false });
  const backend = await createWebGPUBackend(await dawnGpu(), { tuning: fileTuningStore() });
  try {
    say(field("adapter", adapterText(backend)));
    say(field("network", describeNetwork(flags, model)));
    const batch = batchSizeOf(flags, data.count);
    const printer = new ResultPrinter();
    const began = performance.now();
    const { choices, untimed } = await backend.tune(
      stepProducts(model, batch, flags.precision),
      (result) => printer.show(result),
      { full: flags.full === true, budget: BUDGET },
    );
    print(["", `saved after ${((performance.now() - began) / 1000).toFixed(1)} s`]);
    print(Object.entries(choices).map(([product, tiling]) => `  ${product.padEnd(28)} ${tiling}`));
    if (untimed.length > 0) {
      print([
        "",
        "not timed within the time limit, so unchanged (--full times everything)",
        ...untimed.map((product) => `  ${product}`),
      ]);
    }
  } finally {
    backend.dispose();
  }
}

/** Prints results as they arrive, each under its matrix product. */
class ResultPrinter {
  #product = "";

  show({ product, tiling, milliseconds }: TuningResult): void {
    if (product !== this.#product) print(["", product]);
    this.#product = product;
    print([
      `  ${tiling.padEnd(28)} ${milliseconds === undefined ? "different bits: excluded" : `${milliseconds.toFixed(3).padStart(9)} ms`}`,
    ]);
  }
}
