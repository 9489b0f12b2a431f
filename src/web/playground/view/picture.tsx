import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { percent } from "../../shared/format.ts";
import { Canvas } from "./canvas.tsx";
import { drawEnlarged } from "./diagram/draw-diagram.ts";
import { enlargedName } from "./diagram/pointed.ts";
import {
  drawAxes,
  drawBackground,
  drawCurve,
  drawDecision,
  drawLossSurface,
  drawNeuron,
  drawPath,
  drawPoints,
  drawTestPoints,
  fromPixel,
  type Drawing,
} from "./draw.ts";
import { EXTENT, MOST_POINTS, rounded } from "../settings.ts";
import { change, frame, hasNoPoints, path, playgroundState, problem, spokenFrame } from "../state/index.ts";
import { numberText } from "./text.ts";

/** The class of new points. */
export const nextClass = signal<0 | 1>(0);

/** Adds a point, if the current mode has points. */
export function addPoint(x: number, y: number): void {
  const { mode } = playgroundState.value;
  if (mode === "surface") return;
  const { points } = playgroundState.value[mode];
  if (points.length >= MOST_POINTS) return;
  change(mode, { points: [...points, [rounded(x), rounded(y), mode === "regress" ? 0 : nextClass.value]] });
}

/** The large picture of a mode. A click adds a point, or sets the starting point of descent. */
export function Picture() {
  const place = useRef<HTMLDivElement>(null);
  const onClick = (event: MouseEvent) => {
    const box = place.current!.getBoundingClientRect();
    const clamped = (value: number) => Math.max(-1, Math.min(1, value));
    const x = clamped(fromPixel(event.clientX - box.left, box.width, 1));
    const y = clamped(-fromPixel(event.clientY - box.top, box.height, 1));
    if (playgroundState.value.mode === "surface") change("surface", { start: [rounded(x), rounded(y)] });
    else addPoint(EXTENT * x, EXTENT * y);
  };
  return (
    <div class="playground-plot" ref={place} onClick={onClick}>
      <Canvas testId="playground-surface" draw={draw} label={description} />
      <Hint />
    </div>
  );
}

/** A hint that is shown while there are no points. */
function Hint() {
  return hasNoPoints.value ? <p class="playground-hint">Click or tap to add points</p> : null;
}

function draw(drawing: Drawing): void {
  const { mode, testPoints, discretized } = playgroundState.value;
  const current = frame.value?.mode === mode ? frame.value : undefined;
  const known = problem.value?.mode === mode ? problem.value : undefined;
  const rows = known?.points ?? new Float32Array();
  drawBackground(drawing);
  if (mode === "surface") {
    if (!known?.surface) return;
    drawLossSurface(drawing, known.surface);
    drawPath(drawing, path.value, known.surface.extent);
    return;
  }
  const { points } = playgroundState.value[mode];
  const isEnlarged = mode !== "neuron" && enlargedName(mode) !== undefined;
  if (isEnlarged) drawEnlarged(drawing, mode);
  if (mode === "regress") {
    drawAxes(drawing);
    drawPoints(drawing, rows, points, 3.5);
    if (testPoints && known) drawTestPoints(drawing, known.test, 3);
    if (current && !isEnlarged) drawCurve(drawing, current.outputs, { color: drawing.palette.blue });
    return;
  }
  if (current && mode === "classify" && !isEnlarged) drawDecision(drawing, current.outputs, discretized);
  if (current && mode === "neuron") drawNeuron(drawing, current, playgroundState.value.neuron.rule === "perceptron");
  drawPoints(drawing, rows, points);
  if (testPoints && known) drawTestPoints(drawing, known.test);
}

/** A description of the picture. */
function description(): string {
  const { mode } = playgroundState.value;
  const current = spokenFrame.value;
  const known = problem.value;
  if (!current || !known || current.mode !== mode) return "Not trained yet";
  const state = `after ${current.step} steps, loss ${numberText(current.loss)}`;
  if (mode === "surface") {
    const [first, second] = known.surface?.names ?? ["", ""];
    const [a, b] = current.parameters;
    return `The loss over ${first} and ${second} with the path of descent: ${first} ${numberText(a!)}, ${second} ${numberText(b!)}, ${state}`;
  }
  const count = known.points.length / 3 + playgroundState.value[mode].points.length;
  const unit = mode === "neuron" ? undefined : enlargedName(mode);
  if (unit) return `${unit} over the input space, and ${count} points, ${state}`;
  if (mode === "regress") return `${count} points and the fitted curve ${state}`;
  return `${count} points of two classes and the predicted regions, ${state}, accuracy ${percent(current.accuracy)}`;
}

/** The points of a loss surface, and the model's curve. */
export function FitPicture() {
  const drawFit = (drawing: Drawing) => {
    drawBackground(drawing);
    drawAxes(drawing);
    if (problem.value?.mode !== "surface") return;
    drawPoints(drawing, problem.value.points, [], 3);
    if (frame.value?.mode === "surface") drawCurve(drawing, frame.value.outputs, { color: drawing.palette.blue });
  };
  return (
    <figure class="card playground-fit">
      <figcaption>The model and its points</figcaption>
      <Canvas
        testId="playground-fit"
        draw={drawFit}
        label={() => "The points, and the model with its current parameters"}
      />
    </figure>
  );
}
