import { Command, CommanderError } from "commander";
import { nameOptionsBy, OptionError, WgradError } from "../errors.ts";
import { version } from "../version.ts";
import { plainReason } from "../node/files.ts";
import { benchCommand } from "./commands/bench.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { debugs } from "../node/debug.ts";
import { devicesCommand } from "./commands/devices.ts";
import { evaluateCommand } from "./commands/evaluate.ts";
import { predictCommand } from "./commands/predict.ts";
import { exportCommand } from "./commands/export.ts";
import { generateCommand } from "./commands/generate.ts";
import { importCommand } from "./commands/import.ts";
import { refuseRepeats } from "./options/options.ts";
import { planCommand } from "./commands/plan.ts";
import { summaryCommand } from "./commands/summary.ts";
import { sweepCommand } from "./commands/sweep.ts";
import { print, warn } from "./text/terminal.ts";
import { trainCommand } from "./commands/train.ts";
import { tuneCommand } from "./commands/tune.ts";
import { workerCommand } from "./commands/worker.ts";
import { commandLineNaming } from "./options/wording.ts";

const FAILED = 1;
const BAD_ARGUMENTS = 2;

/** Builds the command line: all commands with their options, examples and actions. */
function program(): Command {
  const wgrad = new Command("wgrad")
    .description("Trains neural networks on any GPU that WebGPU reaches.")
    .version(version)
    // Called before the commands are added, because they inherit it: commander must not exit the process itself.
    .exitOverride()
    // With its arguments, the longest name would leave too little of 80 columns for the descriptions.
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .configureOutput({ writeErr: (text) => print(text.trimEnd().split("\n"), process.stderr) })
    .showHelpAfterError("`wgrad --help` lists the commands, and `wgrad COMMAND --help` the options of a command.")
    .addHelpText("after", "\n`wgrad COMMAND --help` lists the options of a command.")
    .addHelpText("after", "\nExample:\n  wgrad train --hidden 128,64 --out digits.safetensors");
  trainCommand(wgrad.command("train"));
  evaluateCommand(wgrad.command("evaluate"));
  sweepCommand(wgrad.command("sweep"));
  workerCommand(wgrad.command("worker"));
  cancelCommand(wgrad.command("cancel"));
  predictCommand(wgrad.command("predict"));
  generateCommand(wgrad.command("generate"));
  exportCommand(wgrad.command("export"));
  importCommand(wgrad.command("import"));
  devicesCommand(wgrad.command("devices"));
  summaryCommand(wgrad.command("summary"));
  planCommand(wgrad.command("plan"));
  tuneCommand(wgrad.command("tune"));
  benchCommand(wgrad.command("bench"));
  wgrad.commands.forEach(refuseRepeats);
  return wgrad;
}

/** Prints an error, with its stack trace if DEBUG asks for it. @returns the exit code */
function report(error: unknown): number {
  // Commander has already printed its message. --help and --version also end here, with exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_ARGUMENTS;
  const expected = error instanceof WgradError;
  const message = error instanceof Error ? error.message : String(error);
  warn(
    `error: ${expected ? message : `${message} (unexpected error: please report it with the output of DEBUG=wgrad:error)`}`,
  );
  if (debugs("error") && error instanceof Error) print((error.stack ?? "").split("\n"), process.stderr);
  return error instanceof OptionError ? BAD_ARGUMENTS : FAILED;
}

/** Commands whose results are files, or go to a server: they succeed even if standard output cannot be written. */
const RESULTS_ARE_FILES: ReadonlySet<string | undefined> = new Set(["train", "sweep", "worker", "cancel"]);

/**
 * Lets a command continue if its standard output cannot be written. A closed pipe, as after `| head`, is not a failure.
 * Any other reason, such as a full disk, is reported once on standard error, and a command whose result is its output
 * then exits with code 1.
 */
function tolerateLostOutput(command: string | undefined): void {
  let isReported = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (isReported || error.code === "EPIPE") return;
    isReported = true;
    warn(`standard output cannot be written; the command continues: ${plainReason(error)}.`);
    if (!RESULTS_ARE_FILES.has(command)) process.exitCode = FAILED;
  });
  // If standard error fails, there is nowhere to report it.
  process.stderr.on("error", () => {});
}

/** Runs the command that the process was started with, and sets its exit code. */
export async function runCommandLine(): Promise<void> {
  tolerateLostOutput(process.argv[2]);
  try {
    const wgrad = program();
    nameOptionsBy(commandLineNaming(wgrad.commands.flatMap(({ options }) => options)));
    await wgrad.parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}
