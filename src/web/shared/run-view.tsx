/*
 * What all tabs with one run at a time show of it: buttons, numbers and messages.
 */
import type { ComponentChildren } from "preact";
import { ContinueOnCpu } from "../continue.tsx";
import { CloseButton } from "./close-button.tsx";
import type { RunSignals } from "./run-connection.ts";

interface RunButtonsProps {
  /** Precedes the test IDs: "convolution-". */
  readonly prefix: string;
  readonly running: boolean;
  /** Whether the worker has nothing to do for the tab, and all results are shown. Tests read it as `data-idle`. */
  readonly idle: boolean;
  readonly commands: { toggle(): unknown; step(): unknown; reset(): unknown };
  /** The text of the first button while training pauses; "Start" by default. */
  readonly startText?: string;
  readonly disabled?: { readonly start?: boolean; readonly step?: boolean; readonly reset?: boolean };
}

/** Start or pause, step and reset. On a narrow window, they stay at the bottom of the window. */
export function RunButtons({ prefix, running, idle, commands, startText = "Start", disabled = {} }: RunButtonsProps) {
  const common = (name: keyof typeof disabled) => ({
    type: "button" as const,
    "data-testid": prefix + name,
    disabled: disabled[name],
  });
  return (
    <div class="row run-bar" role="group" aria-label="Training" data-idle={idle}>
      <button {...common("start")} class="primary" onClick={commands.toggle} title="Shortcut: Space">
        {running ? "Pause" : startText}
      </button>
      <button {...common("step")} onClick={commands.step} title="Shortcut: S">
        Step
      </button>
      <button {...common("reset")} onClick={commands.reset} title="Shortcut: R">
        Reset
      </button>
    </div>
  );
}

/** A number with its name, in a list of the class "numbers". */
export function Entry({ name, testId, children }: { name: string; testId: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-testid={testId}>{children}</dd>
    </div>
  );
}

/** The error or note of a run, and how to continue if the GPU is lost. */
export function RunMessage({ testId, message, deviceGone }: { testId: string } & Omit<RunSignals, "running">) {
  const { value } = message;
  return (
    <div class={value?.kind === "error" ? "fault" : "notice"} role="status" hidden={!value}>
      <span data-testid={testId}>{value?.text}</span> <CloseButton close={() => (message.value = undefined)} />
      {deviceGone.value && <ContinueOnCpu />}
    </div>
  );
}
