/*
 * Start, pause, step, reset; where the training stands; save, load, share; what went wrong.
 */
import {
  draftFaults,
  fault,
  finished,
  loadFile,
  notice,
  prepared,
  progress,
  reset,
  running,
  saveFile,
  step,
  stepOnce,
  test,
  toggleRunning,
} from "../state.ts";
import { percent, rounded } from "../../format.ts";
import { ShareButton } from "../../share.tsx";

export function Controls() {
  const ready = prepared.value !== undefined;
  const title = running.value ? "Pause" : finished.value ? "Train again" : "Start";
  return (
    <section class="card controls" aria-label="Training">
      <div class="row">
        <button type="button" class="primary" data-testid="start" disabled={!ready} onClick={toggleRunning} title="Space">
          {title}
        </button>
        <button type="button" data-testid="step" disabled={!ready || running.value || finished.value} onClick={stepOnce} title="S">
          Step
        </button>
        <button type="button" data-testid="reset" disabled={!ready || draftFaults.value.length > 0} onClick={reset} title="R">
          Reset
        </button>
      </div>
      <Numbers />
      <Files ready={ready} />
      <DataLine />
      <Messages />
    </section>
  );
}

function Numbers() {
  const now = progress.value;
  const milliseconds = now && prepared.value && (1000 * batchSize()) / now.imagesPerSecond;
  return (
    <dl class="numbers">
      <Fact name="Step" value={String(step.value)} testId="step-count" of={prepared.value && `of ${prepared.value.stepsTotal}`} />
      <Fact name="Epoch" value={now ? String(now.epoch) : "–"} />
      <Fact name="Training loss" value={now ? now.loss.toFixed(4) : "–"} testId="train-loss" />
      <Fact name="Test accuracy" value={test.value ? percent(test.value.accuracy) : "–"} testId="test-accuracy" of={partTested()} />
      <Fact name="Learning rate" value={now ? rounded(now.learningRate) : "–"} />
      <Fact name="Images/s" value={now ? Math.round(now.imagesPerSecond).toLocaleString("en") : "–"} testId="images-per-second" />
      <Fact name="ms/step" value={milliseconds ? rounded(milliseconds) : "–"} testId="step-milliseconds" />
    </dl>
  );
}

/** Says where only a part of the test set was looked at. */
function partTested(): string | undefined {
  const count = test.value?.count;
  return count === undefined || count === prepared.value?.testExamples ? undefined : `of ${count.toLocaleString("en")}`;
}

const batchSize = () => Math.min(prepared.value!.settings.batchSize, prepared.value!.trainingExamples);

function Fact({ name, value, testId, of }: { name: string; value: string; testId?: string; of?: string | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span data-testid={testId}>{value}</span> {of && <small>{of}</small>}
      </dd>
    </div>
  );
}

function Files({ ready }: { ready: boolean }) {
  return (
    <div class="row files">
      <button type="button" data-testid="save" disabled={!ready} onClick={saveFile}>
        Save
      </button>
      <label class={ready ? "button" : "button disabled"}>
        Load
        <input
          type="file"
          class="hidden"
          data-testid="load"
          accept=".safetensors"
          disabled={!ready}
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            currentTarget.value = "";
            if (file) void loadFile(file);
          }}
        />
      </label>
      <ShareButton testId="share" />
    </div>
  );
}

function DataLine() {
  const now = prepared.value;
  if (!now) return <p class="quiet">{fault.value ? "No network is ready." : "Preparing data and network …"}</p>;
  const { data, trainingExamples, testExamples, parameters, file } = now;
  const count = (value: number) => value.toLocaleString("en");
  return (
    <p class="quiet" data-testid="data">
      {data}: {count(trainingExamples)} digits to learn from, {count(testExamples)} others to test with;{" "}
      {count(parameters)} parameters{file && <>, from <strong>{file}</strong></>}
    </p>
  );
}

function Messages() {
  return (
    <div aria-live="polite" class="messages">
      {notice.value && (
        <p class="notice" data-testid="notice">
          {notice.value} <CloseButton close={() => (notice.value = undefined)} />
        </p>
      )}
      {fault.value && (
        <p class="fault" role="alert" data-testid="fault">
          {fault.value} <CloseButton close={() => (fault.value = undefined)} />
        </p>
      )}
    </div>
  );
}

const CloseButton = ({ close }: { close: () => void }) => (
  <button type="button" class="plain" aria-label="Close this message" onClick={close}>
    ✕
  </button>
);
