/*
 * `npm run example NN`: runs the `main` of an example.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { WgradError } from "../../src/errors.ts";
import { adapterText } from "../../src/cli/text/text.ts";
import { createNodeBackend, deviceChoices, writeFileAtomically, type DeviceChoice } from "../../src/node/index.ts";
import type { Example } from "./stage.ts";

const examples = import.meta.glob<Example>("../[0-9]*.ts");

async function run(wanted: string, { device, out }: { device: DeviceChoice; out: string }): Promise<void> {
  const number = wanted.padStart(2, "0");
  const path = Object.keys(examples).find((name) => name.startsWith(`../${number}-`));
  if (path === undefined) {
    const names = Object.keys(examples).map((name) => `  ${name.slice(3)}`);
    throw new CommanderError(2, "example", `There is no example "${wanted}". There are:\n${names.join("\n")}`);
  }
  const { main } = await examples[path]!();
  const backend = await createNodeBackend({ device });
  try {
    console.log(`${path.slice(3, -3)} on ${adapterText(backend)}`);
    await main({
      backend,
      print: (line) => console.log(line),
      async draw(picture) {
        await mkdir(out, { recursive: true });
        const file = join(out, `${number}.svg`);
        await writeFileAtomically(file, new TextEncoder().encode(`${picture}\n`));
        console.log(`picture: ${file}`);
      },
    });
  } finally {
    backend.dispose();
  }
}

const command = new Command("npm run example --")
  .argument("<number>", "number of the example, such as 4")
  .addOption(new Option("--device <name>", "device to use").choices(deviceChoices).default("auto"))
  .option("--out <folder>", "folder for the picture, NN.svg", "docs/examples")
  .showHelpAfterError("\nExample:\n  npm run example -- 4 --device cpu")
  .exitOverride()
  .action(run);
try {
  // The arguments are those after Node and the runner.
  await command.parseAsync(process.argv.slice(2), { from: "user" });
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has already reported what is wrong with an option.
    if (error.code === "example") console.error(error.message);
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof WgradError) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
