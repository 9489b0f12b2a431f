/*
 * The buttons of the Convolution tab, the state of the training, and messages.
 */
import type { ComponentChildren } from "preact";
import { ContinueOnCpu } from "../../continue.tsx";
import { CloseButton } from "../../shared/close-button.tsx";
import { NumberField, Select } from "../../shared/fields.tsx";
import { percent } from "../../shared/format.ts";
import { ShareButton } from "../../shared/share.tsx";
import type { Pair } from "../contract.ts";
import { trainingFields } from "../settings.ts";
import {
  accuracy,
  convolutionCommands,
  deviceGone,
  frame,
  message,
  prepared,
  running,
  training,
} from "../state/index.ts";

export function Toolbar() {
  const { toggle, step, reset } = convolutionCommands;
  return (
    <section class="card convolution-toolbar" aria-label="Training">
      <div class="row">
        <button type="button" class="primary" data-testid="convolution-start" onClick={toggle} title="Shortcut: Space">
          {running.value ? "Pause" : "Start"}
        </button>
        <button type="button" data-testid="convolution-step" onClick={step} title="Shortcut: S">
          Step
        </button>
        <button type="button" data-testid="convolution-reset" onClick={reset} title="Shortcut: R">
          Reset
        </button>
      </div>
      <dl class="numbers">
        <Entry name="Step" testId="convolution-step-count">
          {frame.value?.step ?? 0}
        </Entry>
        <Accuracy network="convolution" title="Convolutional" />
        <Accuracy network="dense" title="Dense" />
      </dl>
      <div class="row convolution-settings">
        <Select
          label="Data"
          testId="convolution-data"
          options={trainingFields.data.values}
          titles={{ auto: "MNIST if available", digits: "Built-in digits", mnist: "MNIST" }}
          value={training.value.data}
          onChange={(data) => (training.value = { ...training.value, data })}
        />
        <NumberField
          label="Seed"
          testId="convolution-seed"
          field={trainingFields.seed}
          value={training.value.seed}
          onChange={(seed) => (training.value = { ...training.value, seed })}
        />
        <ShareButton testId="convolution-share" />
      </div>
      <p class="quiet" data-testid="convolution-networks">
        Two networks learn the same {prepared.value && `${prepared.value.trainingExamples.toLocaleString("en")} `}
        digits{prepared.value && ` (${prepared.value.data})`}: one with convolutions, one without. Draw, and follow your
        digit through the first one.
      </p>
      <Message />
    </section>
  );
}

function Accuracy({ network, title }: { network: keyof Pair<unknown>; title: string }) {
  const share = accuracy.value?.accuracies[network][0];
  return (
    <Entry name={`${title}: test accuracy`} testId={`convolution-accuracy-${network}`}>
      {share === undefined ? "–" : percent(share)}
    </Entry>
  );
}

function Entry({ name, testId, children }: { name: string; testId: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-testid={testId}>{children}</dd>
    </div>
  );
}

function Message() {
  const { value } = message;
  return (
    <div class={value?.kind === "error" ? "fault" : "notice"} role="status" hidden={!value}>
      <span data-testid="convolution-message">{value?.text}</span>{" "}
      <CloseButton close={() => (message.value = undefined)} />
      {deviceGone.value && <ContinueOnCpu />}
    </div>
  );
}
