#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { nameOptionsBy, OptionError, WgradError } from "../errors.ts";
import { version } from "../version.ts";
import { plainReason } from "../node/files.ts";
import { benchCommand } from "./commands/bench.ts";
import { debugs } from "../node/debug.ts";
import { devicesCommand } from "./commands/devices.ts";
import { evaluateCommand } from "./commands/evaluate.ts";
import { predictCommand } from "./commands/predict.ts";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { refuseRepeats } from "./options/options.ts";
import { planCommand } from "./commands/plan.ts";
import { sweepCommand } from "./commands/sweep.ts";
import { print, warn } from "./text/terminal.ts";
import { trainCommand } from "./commands/train.ts";
import { tuneCommand } from "./commands/tune.ts";
import { commandLineNaming } from "./options/wording.ts";

const FAILED = 1;
const BAD_ARGUMENTS = 2;

/** The command line: its commands, with their options, examples and actions. */
function program(): Command {
  const wgrad = new Command("wgrad")
    .description("Trains neural networks on any GPU that WebGPU reaches.")
    .version(version)
    // Before the commands are added, which take it over: commander must not end the process itself.
    .exitOverride()
    .configureOutput({ writeErr: (text) => print(text.trimEnd().split("\n"), process.stderr) })
    .addHelpText("after", "\nExample:\n  wgrad train --hidden 128,64 --out digits.safetensors");
  trainCommand(wgrad.command("train"));
  evaluateCommand(wgrad.command("evaluate"));
  sweepCommand(wgrad.command("sweep"));
  predictCommand(wgrad.command("predict"));
  exportCommand(wgrad.command("export"));
  importCommand(wgrad.command("import"));
  devicesCommand(wgrad.command("devices"));
  planCommand(wgrad.command("plan"));
  tuneCommand(wgrad.command("tune"));
  benchCommand(wgrad.command("bench"));
  wgrad.commands.forEach(refuseRepeats);
  return wgrad;
}

/** Says what went wrong, without a stack trace unless DEBUG asks for it. @returns the exit code */
function report(error: unknown): number {
  // Commander has said it already; asking for help or the version is no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_ARGUMENTS;
  const expected = error instanceof WgradError;
  const message = error instanceof Error ? error.message : String(error);
  warn(
    `error: ${expected ? message : `${message} (unexpected: please report it with the output of DEBUG=wgrad:error)`}`,
  );
  if (debugs("error") && error instanceof Error) print((error.stack ?? "").split("\n"), process.stderr);
  return error instanceof OptionError ? BAD_ARGUMENTS : FAILED;
}

/** Commands whose results are files, so that they succeed without what they say. */
const RESULTS_ARE_FILES: ReadonlySet<string | undefined> = new Set(["train", "sweep"]);

/**
 * Lets a command go on where what it says cannot be written. A reader that left, as `| head` does, is no failure. Any
 * other reason, such as a full disk, is told once on standard error; a command whose result is what it says then fails.
 */
function tolerateLostOutput(command: string | undefined): void {
  let isTold = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (isTold || error.code === "EPIPE") return;
    isTold = true;
    warn(`standard output cannot be written, and the command goes on: ${plainReason(error)}.`);
    if (!RESULTS_ARE_FILES.has(command)) process.exitCode = FAILED;
  });
  // Where standard error fails there is no place to tell of it.
  process.stderr.on("error", () => {});
}

tolerateLostOutput(process.argv[2]);
try {
  const wgrad = program();
  nameOptionsBy(commandLineNaming(wgrad.commands.flatMap(({ options }) => options)));
  await wgrad.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
