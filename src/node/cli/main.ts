#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { OptionError, WgradError } from "../../errors.ts";
import { version } from "../../version.ts";
import { benchCommand } from "./bench.ts";
import { debugs } from "./debug.ts";
import { devicesCommand } from "./devices.ts";
import { evaluateCommand } from "./evaluate.ts";
import { predictCommand } from "./predict.ts";
import { exportCommand } from "./export.ts";
import { importCommand } from "./import.ts";
import { refuseRepeats } from "./options.ts";
import { planCommand } from "./plan.ts";
import { sweepCommand } from "./sweep.ts";
import { trainCommand } from "./train.ts";
import { tuneCommand } from "./tune.ts";

const FAILED = 1;
const BAD_ARGUMENTS = 2;

/** The command line: its commands, with their options, examples and actions. */
function program(): Command {
  const wgrad = new Command("wgrad")
    .description("Trains neural networks on any GPU that WebGPU reaches.")
    .version(version)
    // Before the commands are added, which take it over: commander must not end the process itself.
    .exitOverride()
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
  console.error(`error: ${expected ? message : `${message} (unexpected: please report it with the output of DEBUG=wgrad:error)`}`);
  if (debugs("error") && error instanceof Error) console.error(error.stack);
  return error instanceof OptionError ? BAD_ARGUMENTS : FAILED;
}

/** A reader that left, as `| head` does, is no failure: what is left to say goes nowhere, and the work goes on. */
function tolerateClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

tolerateClosedPipe(process.stdout);
tolerateClosedPipe(process.stderr);
try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
