/*
 * `wgrad bench` from the sources, without a build: `node scripts/run.mjs bench/run.ts --filter matmul`.
 */
import { Command } from "commander";
import { WgradError } from "../src/errors.ts";
import { benchCommand } from "../src/cli/commands/bench.ts";

try {
  // The arguments are those after Node, the runner and this file.
  await benchCommand(new Command("wgrad bench")).parseAsync(process.argv.slice(3), { from: "user" });
} catch (error) {
  if (!(error instanceof WgradError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
