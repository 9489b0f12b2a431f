import { hostname } from "node:os";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { excerpt, OptionError } from "../../errors.ts";
import { deviceChoices, type DeviceChoice } from "../../node/index.ts";
import { cacheFolder } from "../../node/tuning-store.ts";
import { intervalOf } from "../options/checkpoint-options.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { connectBy, natsOptions, type NatsFlags } from "../options/nats-options.ts";
import { oneOf, wholeNumber } from "../options/parsers.ts";
import { RunPreparer } from "../cluster/run-preparer.ts";
import { TrainingWorker } from "../cluster/training-worker.ts";
import { sweepWorker } from "../sweep/worker.ts";
import { say } from "../text/terminal.ts";
import { counted, field } from "../text/text.ts";
import { Interruption } from "../training/interrupt.ts";

interface WorkerFlags extends NatsFlags {
  readonly name: string;
  readonly device?: DeviceChoice;
  readonly cache: string;
  readonly every: string;
  readonly maxIdle?: number;
}

const EXAMPLES = `
Example:
  wgrad worker --nats nats://host:4222
  wgrad worker --nats tls://host:4222 --nats-user worker --device wasm

The password is read from NATS_PASSWORD. Ctrl-C saves a checkpoint and gives the
trial back. A worker that is killed loses its trial to another one, which
continues from the last checkpoint.`;

/** A name as messages and tables show it. */
function workerName(text: string): string {
  if (/^[^\p{C}]{1,80}$/u.test(text)) return text;
  const what = `${excerpt(text)} is not a name`;
  throw new OptionError({ where: "--name", what, fix: "Give 1 to 80 visible characters" });
}

/** `wgrad worker`. */
export function workerCommand(command: Command): Command {
  command.description("Trains what waits on a NATS server: runs that workers share, and the runs of sweeps.");
  for (const option of [
    new Option("--name <name>", "name of this worker in tables and messages")
      .argParser(workerName)
      .default(`${hostname()}-${process.pid}`, "host and process"),
    new Option(
      "--device <name>",
      `device: ${deviceChoices.join(", ")} (default: the one that the run names)`,
    ).argParser(oneOf("--device", deviceChoices)),
    new Option("--every <interval>", "time between checkpoints, in steps (such as 25) or seconds (such as 5s)")
      .argParser((text) => (intervalOf(text), text))
      .default("30s", "30s"),
    new DeclaredOption("--cache <folder>", "folder where data sets are kept")
      .withFacts({ file: "output" })
      .default(join(cacheFolder(process.env), "data"), "data in the user's cache folder of wgrad"),
    new Option("--max-idle <seconds>", "end if no trial came for this long (default: wait)").argParser(
      wholeNumber("--max-idle", 1),
    ),
    ...natsOptions("required"),
  ])
    command.addOption(option);
  return command.addHelpText("after", EXAMPLES).action(() => work(command));
}

async function work(command: Command): Promise<void> {
  const { nats, name, device, cache, every, maxIdle = Infinity, ...flags } = command.opts<WorkerFlags>();
  if (nats === undefined)
    throw new OptionError({
      where: "worker",
      what: "there is no server to connect to",
      fix: "Add --nats with its address",
    });
  const link = await connectBy({ ...flags, nats }, { role: "worker", name: `wgrad worker ${name}` });
  const interruption = new Interruption();
  try {
    say(field("worker", `${name}, on ${nats}`));
    const { signal } = interruption;
    const preparer = new RunPreparer({ link, device, cache, signal });
    const training = new TrainingWorker({ link, name, preparer, signal });
    const otherWork = () => training.joinNext();
    const worker = sweepWorker({ link, name, preparer, interval: intervalOf(every), signal, otherWork });
    const trials = await worker.run(maxIdle).finally(() => preparer.dispose());
    const rounds = training.rounds > 0 ? `, and ${counted(training.rounds, "round")} of shared runs` : "";
    say(`${counted(trials, "trial")} finished${rounds}`);
  } finally {
    interruption.stopListening();
    await link.close();
  }
  process.exitCode = interruption.exitCode ?? 0;
}
