/*
 * The choice of the data set, by small pictures of the points.
 */
import { Segments } from "../../shared/fields.tsx";
import { curves, planes, rowsOf } from "../points.ts";
import { neuronFields, regressFields } from "../settings.ts";
import { change, playgroundState } from "../state/index.ts";
import { Canvas } from "./canvas.tsx";
import { drawBackground, drawPoints, type Drawing } from "./draw.ts";
import { css } from "./palette.ts";

/** The modes with points. */
export type PointsMode = "classify" | "regress" | "neuron";

const titles = {
  circles: "Circles",
  xor: "XOR",
  moons: "Moons",
  spirals: "Spirals",
  linear: "Linear",
  sine: "Sine",
  polynomial: "Polynomial",
  line: "Line",
  own: "Your own",
};

type DataName = keyof typeof titles;

const generators = { ...planes, ...curves };

/** Few enough points to tell them apart in a small picture. */
const COUNT = 60;

export function DataSets({ mode }: { mode: PointsMode }) {
  const { data } = playgroundState.value[mode];
  const names: readonly DataName[] = mode === "regress" ? regressFields.data.values : neuronFields.data.values;
  return (
    <div class="playground-data-sets" data-testid="playground-dataset">
      <Segments
        legend="Data set"
        name="playground-dataset"
        value={data as DataName}
        onChange={(next) => change(mode, { data: next as never })}
        options={names.map((name) => ({
          value: name,
          testId: `playground-dataset-${name}`,
          text: (
            <>
              <Canvas key={`${mode}/${name}`} draw={(drawing) => drawDataSet(drawing, mode, name)} />
              <small>{titles[name]}</small>
            </>
          ),
        }))}
      />
    </div>
  );
}

/** Draws some points of a data set with the current noise and seed. */
function drawDataSet(drawing: Drawing, mode: PointsMode, name: DataName): void {
  const { noise, seed, points: added } = playgroundState.value[mode];
  drawBackground(drawing);
  if (name !== "own") drawPoints(drawing, rowsOf(generators[name]({ noise, seed, count: COUNT })), [], 2);
  else if (added.length > 0) drawPoints(drawing, new Float32Array(), added, 2);
  else drawPlus(drawing);
}

function drawPlus({ context, size, palette }: Drawing): void {
  context.strokeStyle = css(palette.text);
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(0.35 * size, size / 2);
  context.lineTo(0.65 * size, size / 2);
  context.moveTo(size / 2, 0.35 * size);
  context.lineTo(size / 2, 0.65 * size);
  context.stroke();
}
