/*
 * Draws the units and edges of the diagram.
 */
import { CURVE_POINTS, PLANE_SIDE, type Frame } from "../../contract.ts";
import { EXTENT } from "../../settings.ts";
import { drawBackground, drawUnit, type Drawing } from "../draw.ts";
import { css, rampColor } from "../palette.ts";
import { edgesOf, type Edge, type Layout } from "./layout.ts";
import { frameOf, networkOf, valueAt, type Network, type NetworkMode, type UnitId } from "./network.ts";
import { enlarged, pointedWeight } from "./pointed.ts";

/** Draws the unit that the visitor points at. */
export function drawEnlarged(drawing: Drawing, mode: NetworkMode): void {
  drawUnitOf(drawing, networkOf(mode), enlarged.value!);
}

/** The values of an input at the points of the view. */
function inputValues({ mode, features }: Network, unit: number): Float32Array {
  const along = (position: number, count: number) => EXTENT * ((2 * position) / (count - 1) - 1);
  const { valueAt: inputAt } = features[unit]!;
  if (mode === "regress")
    return Float32Array.from({ length: CURVE_POINTS }, (_, index) => inputAt(along(index, CURVE_POINTS), 0));
  return Float32Array.from({ length: PLANE_SIDE ** 2 }, (_, index) =>
    inputAt(along(index % PLANE_SIDE, PLANE_SIDE), along(Math.floor(index / PLANE_SIDE), PLANE_SIDE)),
  );
}

export function drawUnitOf(drawing: Drawing, network: Network, { column, unit }: UnitId): void {
  const { mode, columns } = network;
  if (column === 0) return drawUnit(drawing, inputValues(network, unit));
  const current = frameOf(mode);
  const hidden = current?.hidden[column - 1];
  const isOutput = column === columns.length - 1 && current?.hidden.length === columns.length - 2;
  if (current && isOutput)
    // A probability becomes a value from −1 to 1.
    return drawUnit(drawing, mode === "classify" ? current.outputs.map((value) => 2 * value - 1) : current.outputs);
  if (!hidden || unit >= hidden.units) return drawBackground(drawing);
  const count = hidden.values.length / hidden.units;
  drawUnit(drawing, hidden.values.subarray(unit * count, (unit + 1) * count));
}

/** The side of the square in a unit's corner. */
const BIAS_SIDE = 9;

/** Draws the bias of a unit as a square in the lower left corner: blue if it is positive, orange if it is negative. */
export function drawBias({ context, size, palette }: Drawing, network: Network, { column, unit }: UnitId): void {
  const bias = valueAt(network, frameOf(network.mode), { layer: column - 1, unit });
  if (bias === undefined || !Number.isFinite(bias)) return;
  const share = Math.max(-1, Math.min(1, bias));
  context.fillStyle = rampColor(palette.units, Math.round(255 * ((share + 1) / 2)));
  context.strokeStyle = css(palette.text, 0.7);
  context.lineWidth = 1;
  context.beginPath();
  context.rect(2.5, size - BIAS_SIDE - 2.5, BIAS_SIDE, BIAS_SIDE);
  context.fill();
  context.stroke();
}

/** Draws the edges: blue for a positive weight and orange for a negative one, as the values of units. */
export function drawEdges(drawing: Drawing, layout: Layout, current: Frame | undefined): void {
  const { context, size, palette } = drawing;
  context.clearRect(0, 0, size, layout.height);
  const pointed = pointedWeight.value;
  for (const edge of edgesOf(layout)) {
    const weight = valueAt(layout.network, current, edge.place);
    if (weight === undefined) continue;
    const width = Math.min(9, 0.4 + 2.2 * Math.abs(weight));
    const { layer, unit, input } = edge.place;
    const isPointed = pointed?.layer === layer && pointed.unit === unit && pointed.input === input;
    if (isPointed) drawEdge(drawing, edge, css(palette.text), width + 4);
    drawEdge(drawing, edge, css(weight > 0 ? palette.blue : palette.orange, isPointed ? 1 : 0.75), width);
  }
}

function drawEdge({ context, size }: Drawing, { from, to }: Edge, color: string, width: number): void {
  const [startX, endX] = [size * from.share, size * to.share];
  const middle = (startX + endX) / 2;
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(startX, from.down);
  context.bezierCurveTo(middle, from.down, middle, to.down, endX, to.down);
  context.stroke();
}
