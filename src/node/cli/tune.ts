import type { Command } from "commander";
import { createWebGPUBackend } from "../../backends/webgpu/index.ts";
import { sizeOf } from "../../graph/tensor.ts";
import type { MatmulAttributes } from "../../ops/matmul/index.ts";
import type { Precision } from "../../ops/matmul/precision.ts";
import type { Model } from "../../nn/sequential.ts";
import { dawnGpu, fileTuningStore } from "../index.ts";
import { blankMnist, buildNetwork, describeNetwork } from "./network.ts";
import { networkOptions, type NetworkFlags } from "./options.ts";
import { adapterText, field } from "./text.ts";

/** `wgrad tune`. */
export function tuneCommand(command: Command): Command {
  command.description(
    "Times every way to divide the network's matrix products on this adapter, and keeps the fastest for later runs. " +
      "All give the same results.",
  );
  for (const option of networkOptions()) command.addOption(option);
  return command.addHelpText("after", "\nExample:\n  wgrad tune --hidden 512,256 --batch 128").action(tuneProducts);
}

async function tuneProducts(flags: NetworkFlags): Promise<void> {
  const data = blankMnist();
  const model = buildNetwork(flags, data);
  const backend = await createWebGPUBackend(await dawnGpu(), { tuning: fileTuningStore() });
  try {
    console.log(field("adapter", adapterText(backend)));
    console.log(field("network", describeNetwork(flags, model)));
    const batch = flags.batch === "full" ? data.count : flags.batch;
    const fastest = new Map<string, { tiling: string; milliseconds: number }>();
    let shown = "";
    await backend.tune(productsOf(model, batch, flags.precision), ({ product, tiling, milliseconds }) => {
      if (product !== shown) console.log(`\n${product}`);
      shown = product;
      console.log(`  ${tiling.padEnd(28)} ${milliseconds === undefined ? "other bits: left out" : `${milliseconds.toFixed(3).padStart(9)} ms`}`);
      const best = fastest.get(product);
      if (milliseconds !== undefined && !(best && best.milliseconds <= milliseconds)) fastest.set(product, { tiling, milliseconds });
    });
    console.log("\nkept");
    for (const [product, { tiling, milliseconds }] of fastest) console.log(`  ${product.padEnd(28)} ${tiling}, ${milliseconds.toFixed(3)} ms`);
  } finally {
    backend.dispose();
  }
}

/** The products of a training step: forward, and both gradients, of each dense layer. */
function productsOf(model: Model, batch: number, precision: Precision): MatmulAttributes[] {
  const widths = model.parameters.filter(({ shape }) => shape.length === 2).map(({ shape }) => [shape[0]!, shape[1]!] as const);
  const product = (rows: number, inner: number, columns: number, transposed: { left?: true; right?: true } = {}) =>
    ({ rows, inner, columns, transposeLeft: transposed.left ?? false, transposeRight: transposed.right ?? false, precision });
  return widths.flatMap(([inputs, outputs]) => [
    product(batch, inputs, outputs),
    product(inputs, batch, outputs, { left: true }),
    ...(inputs === sizeOf(model.inputShape) ? [] : [product(batch, outputs, inputs, { right: true })]),
  ]);
}
