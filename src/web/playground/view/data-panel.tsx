/*
 * The settings of the data set: its kind, size and noise, and the visitor's own points.
 */
import { useSignal } from "@preact/signals";
import { NumberField, Segments, Select, Slider } from "../../shared/fields.tsx";
import { range } from "../../shared/address/codec.ts";
import { DataSets, type PointsMode } from "./data-sets.tsx";
import { addPoint, nextClass } from "./picture.tsx";
import { classifyFields, EXTENT, neuronFields, regressFields, surfaceFields, type Point } from "../settings.ts";
import { change, playgroundState } from "../state/index.ts";

export function DataPanel() {
  const { mode } = playgroundState.value;
  return (
    <section class="card playground-data" aria-labelledby="playground-data-title">
      <h2 id="playground-data-title">Data</h2>
      {mode === "surface" ? <SurfaceData /> : <PointsData mode={mode} />}
    </section>
  );
}

function PointsData({ mode }: { mode: PointsMode }) {
  const settings = playgroundState.value[mode];
  const fields = { classify: classifyFields, regress: regressFields, neuron: neuronFields }[mode];
  return (
    <>
      <DataSets mode={mode} />
      {settings.data !== "own" && (
        <>
          <Slider
            label="Noise"
            testId="playground-noise"
            field={fields.noise}
            value={settings.noise}
            onChange={(noise) => change(mode, { noise })}
          />
          <Slider
            label="Points"
            testId="playground-count"
            field={totals}
            value={2 * settings.count}
            onChange={(total) => change(mode, { count: total / 2 })}
          />
          <Slider
            label="Training points"
            testId="playground-training-share"
            field={fields.share}
            unit="%"
            value={settings.share}
            onChange={(share) => change(mode, { share })}
          />
        </>
      )}
      {settings.data !== "own" && (
        <button
          type="button"
          class="playground-new-data"
          data-testid="playground-new-data"
          title="Draws other points, with the next seed, and restarts the training"
          onClick={() => change(mode, { seed: (settings.seed % fields.seed.max) + 1 })}
        >
          New data
        </button>
      )}
      <OwnPoints mode={mode} />
    </>
  );
}

/** Training and test points together. The setting is half of them. */
const totals = range(2 * classifyFields.count.min, 2 * classifyFields.count.max, 20, 0);

const coordinate = range(-EXTENT, EXTENT, "any", 0);

/** The controls to add and remove points. Coordinates are for visitors without a pointing device. */
function OwnPoints({ mode }: { mode: PointsMode }) {
  const { points } = playgroundState.value[mode];
  const setPoints = (next: readonly Point[]) => change(mode, { points: next });
  const [x, y] = [useSignal(0), useSignal(0)];
  return (
    <fieldset class="playground-own">
      <legend>Add points</legend>
      <p class="playground-note">Click or tap the picture, or enter coordinates.</p>
      {mode !== "regress" && <ClassChoice />}
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          addPoint(x.value, y.value);
        }}
      >
        <NumberField
          label="x"
          testId="playground-point-x"
          field={coordinate}
          value={x.value}
          onChange={(value) => (x.value = value)}
        />
        <NumberField
          label="y"
          testId="playground-point-y"
          field={coordinate}
          value={y.value}
          onChange={(value) => (y.value = value)}
        />
        <button data-testid="playground-add-point">Add</button>
      </form>
      <div class="row">
        <button
          type="button"
          data-testid="playground-undo-point"
          disabled={points.length === 0}
          onClick={() => setPoints(points.slice(0, -1))}
        >
          Undo
        </button>
        <button
          type="button"
          data-testid="playground-remove-points"
          onClick={() => change(mode, { data: "own", points: [] })}
        >
          Remove all
        </button>
      </div>
    </fieldset>
  );
}

function ClassChoice() {
  return (
    <Segments
      legend="Class of new points"
      name="playground-class"
      value={nextClass.value}
      onChange={(value) => (nextClass.value = value)}
      options={[
        {
          value: 0,
          testId: "playground-class-0",
          text: (
            <>
              <i class="playground-disc" /> Orange
            </>
          ),
        },
        {
          value: 1,
          testId: "playground-class-1",
          text: (
            <>
              <i class="playground-square" /> Blue
            </>
          ),
        },
      ]}
    />
  );
}

const modelTitles = {
  line: "Line: y = a·x + b",
  logistic: "Logistic neuron, cross-entropy",
  squared: "Logistic neuron, squared error",
  saddle: "Two weights: y = b·tanh(a·x)",
};

/** Learning rates that reach the minimum within a minute. A neuron needs a higher one, since its loss has gentle slopes. */
const usualRates = { line: 0.1, logistic: 1, squared: 3, saddle: 0.1 } as const;

const shareOfExtent = range(-1, 1, 0.01, 0);

function SurfaceData() {
  const { model, noise, start } = playgroundState.value.surface;
  const [first, second] = start;
  return (
    <>
      <Select
        label="Model"
        testId="playground-model"
        options={surfaceFields.model.values}
        titles={modelTitles}
        value={model}
        onChange={(next) => change("surface", { model: next, learningRate: usualRates[next] })}
      />
      <Slider
        label="Noise"
        testId="playground-noise"
        field={surfaceFields.noise}
        value={noise}
        onChange={(next) => change("surface", { noise: next })}
      />
      <p class="playground-note">Click or tap the picture to choose the starting point, or use the sliders.</p>
      <Slider
        label="Start, horizontal"
        testId="playground-start-x"
        field={shareOfExtent}
        value={first}
        onChange={(next) => change("surface", { start: [next, second] })}
      />
      <Slider
        label="Start, vertical"
        testId="playground-start-y"
        field={shareOfExtent}
        value={second}
        onChange={(next) => change("surface", { start: [first, next] })}
      />
    </>
  );
}
