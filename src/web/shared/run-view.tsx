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
  readonly commands: { toggle(): void; step(): void; reset(): void };
}

export function RunButtons({ prefix, running, commands: { toggle, step, reset } }: RunButtonsProps) {
  return (
    <div class="row">
      <button type="button" class="primary" data-testid={`${prefix}start`} onClick={toggle} title="Shortcut: Space">
        {running ? "Pause" : "Start"}
      </button>
      <button type="button" data-testid={`${prefix}step`} onClick={step} title="Shortcut: S">
        Step
      </button>
      <button type="button" data-testid={`${prefix}reset`} onClick={reset} title="Shortcut: R">
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
