import type { Command } from "commander";
import type { NatsLink } from "../../cluster/connection.ts";
import { cancelSweep } from "../../cluster/sweeps/cancel.ts";
import { ID } from "../../cluster/sweeps/names.ts";
import { setUpSweeps } from "../../cluster/sweeps/set-up.ts";
import { loadSweep } from "../../cluster/sweeps/store.ts";
import { cancelRun } from "../../cluster/training/cancel.ts";
import { hasRun } from "../../cluster/training/run-store.ts";
import { setUpTraining } from "../../cluster/training/set-up.ts";
import { excerpt, OptionError } from "../../errors.ts";
import { version } from "../../version.ts";
import { connectBy, natsOptions, type NatsFlags } from "../options/nats-options.ts";
import { runName } from "../sweep/sweep-plan.ts";
import { say } from "../text/terminal.ts";
import { counted } from "../text/text.ts";

const EXAMPLES = `
Example:
  wgrad cancel 0123456789ab --nats nats://host:4222

The name is the one that "wgrad train" or "wgrad sweep" printed. The results
stay on the server, and the same command as before continues from there.`;

/** `wgrad cancel`. */
export function cancelCommand(command: Command): Command {
  command
    .description("Ends a sweep, or a run that workers share, on a NATS server.")
    .argument("<name>", "name of the sweep or run");
  for (const option of natsOptions("required")) command.addOption(option);
  return command.addHelpText("after", EXAMPLES).action((name: string) => cancel(command, name));
}

async function cancel(command: Command, name: string): Promise<void> {
  if (!ID.test(name)) {
    const what = `${excerpt(name)} is not the name of a sweep or a run`;
    throw new OptionError({ where: "name", what, fix: "Give the name that was printed, such as 0123456789ab" });
  }
  const { nats, ...flags } = command.opts<NatsFlags>();
  if (nats === undefined)
    throw new OptionError({ where: "cancel", what: "there is no server to connect to", fix: "Add --nats" });
  const link = await connectBy({ ...flags, nats }, { role: "owner", name: "wgrad cancel" });
  try {
    await cancelNamed(link, name);
  } finally {
    await link.close();
  }
}

/** @throws DataError if the server has neither a run nor a sweep of this name */
async function cancelNamed(link: NatsLink, name: string): Promise<void> {
  await setUpTraining(link);
  if (await hasRun(link, name)) {
    await cancelRun(link, name);
    return say(`run ${name} is cancelled; the same command continues it`);
  }
  await setUpSweeps(link);
  const { configuration, runs, rungs, prepared } = await loadSweep(link, name);
  const trials = runs.map((changes) => runName({ ...configuration, ...changes }));
  const isForBrowsers = prepared !== undefined;
  const cancelled = { sweep: name, trials, rungs: rungs?.count ?? 1, isForBrowsers, version };
  const running = await cancelSweep(link, cancelled);
  say(`sweep ${name} is cancelled; ${counted(running, "trial")} in progress will end at the next checkpoint`);
}
