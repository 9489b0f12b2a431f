/*
 * The buttons of the Text tab, the state of the training, and messages.
 */
import { percent, scaled } from "../../shared/format.ts";
import { Entry, RunButtons, RunMessage } from "../../shared/run-view.tsx";
import { ShareButton } from "../../shared/share.tsx";
import {
  deviceGone,
  idle,
  message,
  prepared,
  progress,
  running,
  settings,
  tested,
  textCommands,
  textForm,
} from "../state/index.ts";
import { AnotherText, DataChoice, TextForm } from "./own-text.tsx";

export function Toolbar() {
  const isTask = prepared.value?.data !== "own";
  const { exact } = tested.value ?? {};
  return (
    <section class="card text-toolbar" aria-label="Training">
      <RunButtons prefix="text-" running={running.value} idle={idle.value} commands={textCommands} />
      <dl class="numbers">
        {isTask && (
          <div class="text-exact">
            <dt>Exact answers to unseen questions</dt>
            <dd data-testid="text-exact">{exact === undefined ? "–" : percent(exact)}</dd>
          </div>
        )}
        <Entry name="Step" testId="text-step-count">
          {progress.value?.step ?? 0}
        </Entry>
        <Entry name="Bits per character" testId="text-bits">
          {tested.value ? tested.value.loss.toFixed(2) : "–"}
        </Entry>
        <Entry name="Characters/s" testId="text-speed">
          {progress.value ? scaled(progress.value.tokensPerSecond) : "–"}
        </Entry>
      </dl>
      <div class="row text-data">
        <DataChoice />
        {settings.value.data === "own" && !textForm.value.open && <AnotherText />}
        <ShareButton testId="text-share" />
      </div>
      <p class="quiet" data-testid="text-network">
        {prepared.value ? describe(prepared.value) : "Preparing the network …"}
      </p>
      {textForm.value.open && <TextForm />}
      <RunMessage testId="text-message" message={message} deviceGone={deviceGone} />
    </section>
  );
}

function describe({ data, parameters, training }: NonNullable<typeof prepared.value>): string {
  const count = training.toLocaleString("en");
  const read = {
    addition: `${count} sums of two numbers`,
    sorting: `${count} groups of letters to sort`,
    reversing: `${count} groups of letters to reverse`,
    own: `${count} characters of your text`,
  }[data];
  const network = `A small GPT of ${parameters.toLocaleString("en")} parameters`;
  return `${network} reads ${read}, and guesses each next character from those before it. Nobody tells it any rule.`;
}
