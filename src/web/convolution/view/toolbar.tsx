/*
 * The buttons of the Convolution tab, the state of the training, and messages.
 */
import { percent } from "../../shared/format.ts";
import { Entry, RunButtons, RunMessage } from "../../shared/run-view.tsx";
import { ShareButton } from "../../shared/share.tsx";
import type { Pair } from "../contract.ts";
import { accuracy, convolutionCommands, deviceGone, frame, idle, message, prepared, running } from "../state/index.ts";

export function Toolbar() {
  return (
    <section class="card convolution-toolbar" aria-label="Training">
      <RunButtons prefix="convolution-" running={running.value} idle={idle.value} commands={convolutionCommands} />
      <dl class="numbers">
        <Entry name="Step" testId="convolution-step-count">
          {frame.value?.step ?? 0}
        </Entry>
        <Accuracy network="convolution" title="Convolutional" />
        <Accuracy network="dense" title="Dense" />
      </dl>
      <ShareButton testId="convolution-share" />
      <p class="quiet" data-testid="convolution-networks">
        Two networks learn the same {prepared.value && `${prepared.value.trainingExamples.toLocaleString("en")} `}
        digits{prepared.value && ` (${prepared.value.data})`}: one with convolutions, one without. Draw, and follow your
        digit through the first one.
      </p>
      <RunMessage testId="convolution-message" message={message} deviceGone={deviceGone} />
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
