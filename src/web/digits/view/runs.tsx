/*
 * The runs of this visit, with their settings. The curves of any of them can be drawn beside the current ones.
 */
import "./runs.css";
import { lossTitles, optimizerTitles } from "../../shared/controls.tsx";
import { percent, rounded } from "../../shared/format.ts";
import type { DigitsSettings } from "../settings.ts";
import {
  choose,
  currentNumber,
  earlierRuns,
  forgetRun,
  MOST_OVERLAID,
  overlaid,
  overlay,
  prepared,
  step,
  test,
  type EarlierRun,
} from "../state/index.ts";
import { colorOf } from "./overlays.ts";
import { scheduleTitles } from "./settings/index.tsx";

/** What the columns describe: a run, or the current network. */
type Described = Pick<EarlierRun, "settings" | "data">;

/** The columns of settings, each with its text. */
const columns: readonly { readonly title: string; readonly text: (run: Described) => string }[] = [
  { title: "Hidden layers", text: ({ settings }) => settings.layers.map(layerText).join(", ") || "none" },
  { title: "Loss", text: ({ settings }) => lossTitles[settings.loss] ?? settings.loss },
  { title: "Optimizer", text: ({ settings }) => optimizerTitles[settings.optimizer] },
  { title: "Learning rate", text: ({ settings }) => rounded(settings.learningRate) },
  { title: "Schedule", text: ({ settings }) => scheduleTitles[settings.schedule] },
  { title: "Batch", text: ({ settings }) => String(settings.batchSize) },
  { title: "Seed", text: ({ settings }) => String(settings.seed) },
  { title: "Data", text: ({ data }) => data },
];

const layerText = ({ units, activation, dropout }: DigitsSettings["layers"][number]): string =>
  `${units} ${activation}${dropout > 0 ? `, dropout ${dropout}` : ""}`;

export function Runs() {
  const now = prepared.value;
  if (!now) return <p class="quiet">No network is ready.</p>;
  const earlier = earlierRuns.value.toReversed();
  return (
    <div class="scroll" role="region" aria-label="Runs" tabIndex={0}>
      <table class="runs" data-testid="runs">
        <caption class="quiet">
          {earlier.length === 0
            ? "Reset, or change a setting that needs a restart: the run stays here, and its curves stay in the charts."
            : `The curves of up to ${MOST_OVERLAID} earlier runs are drawn. Settings that differ from the current ones are bold.`}
        </caption>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <td />
            <th scope="col">Test accuracy</th>
            <th scope="col">Steps</th>
            {columns.map(({ title }) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <CurrentRow current={now} />
          {earlier.map((run) => (
            <EarlierRow key={run.number} run={run} current={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function CurrentRow({ current }: { current: Described }) {
  return (
    <tr>
      <th scope="row">{currentNumber.value} (now)</th>
      <td />
      <Results steps={step.value} accuracy={test.value?.accuracy} />
      {columns.map(({ title, text }) => (
        <td key={title}>{text(current)}</td>
      ))}
    </tr>
  );
}

function EarlierRow({ run, current }: { run: EarlierRun; current: Described }) {
  const { number, settings, training } = run;
  const color = colorOf(number);
  return (
    <tr>
      <th scope="row">
        <label>
          <input
            type="checkbox"
            data-testid={`run-${number}-shown`}
            aria-label={`Draw the curves of run ${number}`}
            checked={overlaid.value.includes(number)}
            onChange={({ currentTarget }) => overlay(number, currentTarget.checked)}
          />
          {number}
          <span class="run-color" style={{ background: color && `var(${color})` }} />
        </label>
      </th>
      <td>
        <div class="row">
          <button
            type="button"
            data-testid={`run-${number}-use`}
            aria-label={`Use the settings of run ${number} and restart`}
            onClick={() => choose(settings)}
          >
            Use
          </button>
          <button
            type="button"
            class="plain"
            data-testid={`run-${number}-remove`}
            aria-label={`Remove run ${number}`}
            onClick={() => forgetRun(number)}
          >
            ✕
          </button>
        </div>
      </td>
      <Results steps={training.steps.at(-1) ?? 0} accuracy={run.test.at(-1)?.accuracy} />
      {columns.map(({ title, text }) => (
        <td key={title} class={text(run) === text(current) ? "" : "differs"}>
          {text(run)}
        </td>
      ))}
    </tr>
  );
}

function Results({ steps, accuracy }: { steps: number; accuracy: number | undefined }) {
  return (
    <>
      <td>{accuracy === undefined ? "–" : percent(accuracy)}</td>
      <td>{Math.round(steps).toLocaleString("en")}</td>
    </>
  );
}
