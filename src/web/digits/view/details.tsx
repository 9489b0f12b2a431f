/*
 * The numbers of the training, which most visitors do not need.
 */
import { rounded } from "../../shared/format.ts";
import { pageFault } from "../../link.ts";
import { fault, prepared, progress, step } from "../state/index.ts";

export function Details() {
  return (
    <details class="details">
      <summary>Details</summary>
      <Numbers />
      <DataLine />
    </details>
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
