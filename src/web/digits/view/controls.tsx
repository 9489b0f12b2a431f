/*
 * The buttons of the Digits tab, the training metrics, and messages.
 */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Activity } from "../contract.ts";
import {
  activity,
  deviceGone,
  draftFaults,
  fault,
  finished,
  loadFile,
  notice,
  offered,
  prepared,
  progress,
  reset,
  resume,
  running,
  saveFile,
  step,
  stepOnce,
  test,
  toggleRunning,
} from "../state/index.ts";
import { CloseButton } from "../../shared/close-button.tsx";
import { ContinueOnCpu } from "../../continue.tsx";
import { percent, rounded } from "../../shared/format.ts";
import { cancelWork, pageFault } from "../../link.ts";
import { ShareButton } from "../../shared/share.tsx";

export function Controls() {
  const ready = prepared.value !== undefined;
  const title = running.value ? "Pause" : finished.value ? "Train again" : "Start";
  return (
    <section class="card controls" aria-label="Training">
      <div class="row">
        <button
          type="button"
          class="primary"
          data-testid="start"
          disabled={!ready}
          onClick={toggleRunning}
          title="Shortcut: Space"
        >
          {title}
        </button>
        <button
          type="button"
          data-testid="step"
          disabled={!ready || running.value || finished.value}
          onClick={stepOnce}
          title="Shortcut: S"
        >
          Step
        </button>
        <button
          type="button"
          data-testid="reset"
          disabled={!ready || draftFaults.value.length > 0}
          onClick={reset}
          title="Shortcut: R"
        >
          Reset
        </button>
      </div>
      <Numbers />
      <Files ready={ready} />
      <DataLine />
      <ActivityLine />
      <Messages />
    </section>
  );
}

function Numbers() {
  const now = progress.value;
  const milliseconds = now && prepared.value && (1000 * batchSize()) / now.examplesPerSecond;
  return (
    <dl class="numbers">
      <Fact
        name="Step"
        value={String(step.value)}
        testId="step-count"
        of={prepared.value && `of ${prepared.value.totalSteps}`}
      />
      <Fact
        name="Epoch"
        value={now ? String(now.epoch) : "–"}
        of={prepared.value && `of ${prepared.value.settings.epochs}`}
      />
      <Fact name="Training loss" value={now ? now.loss.toFixed(4) : "–"} testId="train-loss" />
      <Fact
        name="Test accuracy"
        value={test.value ? percent(test.value.accuracy) : "–"}
        testId="test-accuracy"
        of={partTested()}
      />
      <Fact name="Learning rate" value={now ? rounded(now.learningRate) : "–"} />
      <Fact
        name="Images/s"
        value={now ? Math.round(now.examplesPerSecond).toLocaleString("en") : "–"}
        testId="images-per-second"
      />
      <Fact name="ms/step" value={milliseconds ? rounded(milliseconds) : "–"} testId="step-milliseconds" />
    </dl>
  );
}

/** The number of evaluated test images, if it is not all of them. */
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

/** Work that takes longer than this is shown. */
const SLOW_MILLISECONDS = 1000;

/** Work that takes longer than this can be canceled. */
const CANCEL_MILLISECONDS = 3000;

/** Shows work that takes more than a second, such as a step or the preparation of a network. */
function ActivityLine() {
  const now = useSignal(performance.now());
  const began = useSignal(performance.now());
  const [current, finishedSteps] = [activity.value, step.value];
  useEffect(() => {
    now.value = began.value = performance.now();
    if (current === undefined) return undefined;
    const timer = setInterval(() => (now.value = performance.now()), 500);
    return () => clearInterval(timer);
  }, [current, finishedSteps, prepared.value]);
  const milliseconds = now.value - began.value;
  const isShown = current !== undefined && milliseconds >= SLOW_MILLISECONDS;
  return (
    <p class="activity" role="status" data-testid="activity" data-activity={current ?? "none"}>
      {isShown && (
        <>
          <span class="spinner" aria-hidden="true" /> {activityText(current, finishedSteps + 1)}{" "}
          <span aria-hidden="true">{Math.floor(milliseconds / 1000)} s</span>
          {milliseconds >= CANCEL_MILLISECONDS && (
            <button
              type="button"
              data-testid="cancel-step"
              onClick={cancelWork}
              title="Stops immediately. The network returns to its last saved state."
            >
              Cancel
            </button>
          )}
        </>
      )}
    </p>
  );
}

function activityText(current: Activity, next: number): string {
  switch (current) {
    case "preparing":
      return "Preparing the network …";
    case "training":
      return `Running step ${next} …`;
    case "finishing":
      return `Pausing after step ${next} …`;
    case "comparing":
      return "Training on both devices …";
    case "measuring":
      return "Measuring a step …";
  }
}

function DataLine() {
  const now = prepared.value;
  if (!now)
    return (
      <p class="quiet">
        {fault.value || pageFault.value ? "No network is ready." : "Preparing the data and the network …"}
      </p>
    );
  const { data, trainingExamples, testExamples, parameters, file } = now;
  const count = (value: number) => value.toLocaleString("en");
  return (
    <p class="quiet" data-testid="data">
      {data}: {count(trainingExamples)} training images, {count(testExamples)} test images, {count(parameters)}{" "}
      parameters
      {file && (
        <>
          , from <strong>{file}</strong>
        </>
      )}
    </p>
  );
}

/** Offers the network of an earlier visit. */
function Offer() {
  const kept = offered.value;
  if (!kept) return null;
  return (
    <p class="notice" data-testid="offer">
      <button type="button" data-testid="continue" onClick={() => resume("earlier")}>
        Continue with the network saved at {timeOf(kept.savedAt)}
      </button>{" "}
      <span class="quiet">
        step {kept.step.toLocaleString("en")}
        {kept.accuracy !== undefined && `, test accuracy ${percent(kept.accuracy)}`}
      </span>{" "}
      <CloseButton close={() => (offered.value = undefined)} />
    </p>
  );
}

/** A time such as "14:02", or "14:02 on Nov 26, 2026" if that is not today. */
function timeOf(milliseconds: number): string {
  const then = new Date(milliseconds);
  const time = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return then.toDateString() === new Date().toDateString()
    ? time
    : `${time} on ${then.toLocaleDateString("en-US", { dateStyle: "medium" })}`;
}

function Messages() {
  return (
    <div aria-live="polite" class="messages">
      <Offer />
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
      {deviceGone.value && <ContinueOnCpu />}
    </div>
  );
}
