/*
 * Draws on the canvases. Every canvas is a square with side `size` in CSS pixels.
 */
import type { Color, Ramp } from "../../shared/colors.ts";
import { CURVE_POINTS, PLANE_SIDE, SURFACE_SIDE, type Frame, type LossSurface } from "../contract.ts";
import { css, rampColor, type Palette } from "./palette.ts";
import { EXTENT, type Point } from "../settings.ts";

export interface Drawing {
  readonly context: CanvasRenderingContext2D;
  /** The side of a square canvas, or the width of another one. */
  readonly size: number;
  readonly palette: Palette;
}

/** Converts coordinates in −extent … extent to pixels, and back. */
const toPixel = (value: number, size: number, extent = EXTENT): number => ((value / extent + 1) / 2) * size;
export const fromPixel = (pixel: number, size: number, extent = EXTENT): number => extent * ((2 * pixel) / size - 1);

/** The pixel of a point; the y axis points up. */
const placeOf = ({ size }: Drawing, x: number, y: number, extent = EXTENT) =>
  [toPixel(x, size, extent), size - toPixel(y, size, extent)] as const;

/** A canvas for images before they are scaled. */
const scratch = new OffscreenCanvas(1, 1);

/** Draws `side` rows of values in [0, 1], from the bottom up, scaled so that the outer values are on the border. */
function picture({ context, size }: Drawing, side: number, ramp: Ramp, shareOf: (index: number) => number): void {
  const image = new ImageData(side, side);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const share = Math.max(0, Math.min(1, shareOf((side - 1 - row) * side + column)));
      pixels[row * side + column] = ramp[Math.round(255 * share)]!;
    }
  }
  scratch.width = scratch.height = side;
  scratch.getContext("2d")!.putImageData(image, 0, 0);
  const spacing = size / (side - 1);
  context.imageSmoothingEnabled = true;
  context.drawImage(scratch, -spacing / 2, -spacing / 2, side * spacing, side * spacing);
}

/** Draws a contour line of values on a grid (marching squares with linear interpolation). */
function contour({ context, size }: Drawing, values: Float32Array, side: number, level: number): void {
  const spacing = size / (side - 1);
  const above = (row: number, column: number) => values[row * side + column]! - level;
  context.beginPath();
  for (let row = 0; row + 1 < side; row++) {
    for (let column = 0; column + 1 < side; column++) {
      const around = [
        above(row, column),
        above(row, column + 1),
        above(row + 1, column + 1),
        above(row + 1, column),
      ] as const;
      if (around.every((value) => value < 0) || around.every((value) => value >= 0)) continue;
      const corners = [
        [0, 0, around[0]],
        [1, 0, around[1]],
        [1, 1, around[2]],
        [0, 1, around[3]],
      ] as const;
      const crossings = corners.flatMap(([x, y, value], index) => {
        const [nextX, nextY, nextValue] = corners[(index + 1) % 4]!;
        if (value < 0 === nextValue < 0) return [];
        const share = value / (value - nextValue);
        return [
          [(column + x + share * (nextX - x)) * spacing, size - (row + y + share * (nextY - y)) * spacing] as const,
        ];
      });
      for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
        context.moveTo(...crossings[pair]!);
        context.lineTo(...crossings[pair + 1]!);
      }
    }
  }
  context.stroke();
}

/** Draws class 0 as an orange disc and class 1 as a blue square, so that their shapes differ as well. Test points are hollow. */
function mark(
  { context, palette }: Drawing,
  [x, y]: readonly [number, number],
  label: number,
  { radius, hollow = false }: { radius: number; hollow?: boolean },
): void {
  context.beginPath();
  if (label === 0) context.arc(x, y, radius, 0, 2 * Math.PI);
  else context.rect(x - 0.9 * radius, y - 0.9 * radius, 1.8 * radius, 1.8 * radius);
  const color = css(label === 0 ? palette.orange : palette.blue);
  context.fillStyle = hollow ? css(palette.surface) : color;
  context.fill();
  context.lineWidth = hollow ? 1.5 : 1;
  context.strokeStyle = hollow ? color : css(palette.surface);
  context.stroke();
}

/** Rows of x, y, class. */
export function drawTestPoints(drawing: Drawing, rows: Float32Array, radius = 3.5): void {
  for (let row = 0; row < rows.length; row += 3)
    mark(drawing, placeOf(drawing, rows[row]!, rows[row + 1]!), rows[row + 2]!, { radius, hollow: true });
}

/** Rows of x, y, class. */
export function drawPoints(drawing: Drawing, rows: Float32Array, added: readonly Point[], radius = 4): void {
  for (let row = 0; row < rows.length; row += 3) {
    mark(drawing, placeOf(drawing, rows[row]!, rows[row + 1]!), rows[row + 2]!, { radius });
  }
  for (const [x, y, label] of added) mark(drawing, placeOf(drawing, x, y), label, { radius: radius + 1 });
}

export function drawBackground({ context, size, palette }: Drawing): void {
  context.fillStyle = css(palette.surface);
  context.fillRect(0, 0, size, size);
}

/** Draws the two axes through the origin. */
export function drawAxes({ context, size, palette }: Drawing): void {
  context.strokeStyle = css(palette.line);
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, size / 2);
  context.lineTo(size, size / 2);
  context.moveTo(size / 2, 0);
  context.lineTo(size / 2, size);
  context.stroke();
}

function drawProbabilities(drawing: Drawing, probabilities: Float32Array): void {
  picture(drawing, PLANE_SIDE, drawing.palette.regions, (index) => probabilities[index]!);
}

/** Draws the probability of class 1 over the plane, or the more probable class, and the line between the classes. */
export function drawDecision(drawing: Drawing, probabilities: Float32Array, discretized: boolean): void {
  const { context, palette } = drawing;
  drawProbabilities(drawing, discretized ? probabilities.map((value) => (value > 0.5 ? 1 : 0)) : probabilities);
  context.strokeStyle = css(palette.text, 0.7);
  context.lineWidth = 1.5;
  contour(drawing, probabilities, PLANE_SIDE, 0.5);
}

/**
 * Draws the line w₁x + w₂y + b = 0, the weights as an arrow from it towards class 1, and its two sides: a perceptron in
 * two colors, a logistic neuron by probability.
 */
export function drawNeuron(drawing: Drawing, { parameters, outputs }: Frame, isHard: boolean): void {
  const { context, palette, size } = drawing;
  const [w1, w2, b] = parameters;
  if (!isHard) drawProbabilities(drawing, outputs);
  const length = Math.hypot(w1!, w2!);
  if (!(length > 0)) return;
  const [normalX, normalY] = [w1! / length, w2! / length];
  const foot = [(-b! / length) * normalX, (-b! / length) * normalY] as const;
  const at = (along: number, across: number) =>
    placeOf(drawing, foot[0] - along * normalY + across * normalX, foot[1] + along * normalX + across * normalY);
  if (isHard) {
    context.fillStyle = rampColor(palette.regions, 0);
    context.fillRect(0, 0, size, size);
    context.fillStyle = rampColor(palette.regions, 255);
    context.beginPath();
    for (const [along, across] of [
      [-10, 0],
      [10, 0],
      [10, 10],
      [-10, 10],
    ] as const)
      context.lineTo(...at(along, across));
    context.fill();
  }
  context.strokeStyle = css(palette.text);
  context.lineWidth = 2.5;
  context.beginPath();
  context.moveTo(...at(-10, 0));
  context.lineTo(...at(10, 0));
  context.moveTo(...at(0, 0));
  context.lineTo(...at(0, 0.25));
  context.moveTo(...at(-0.05, 0.18));
  context.lineTo(...at(0, 0.25));
  context.lineTo(...at(0.05, 0.18));
  context.stroke();
}

/** Draws a curve, given its y values from x = −EXTENT to EXTENT. */
export function drawCurve(
  drawing: Drawing,
  values: Float32Array,
  { color, width = 2.5 }: { color: Color; width?: number },
): void {
  const { context } = drawing;
  context.strokeStyle = css(color);
  context.lineWidth = width;
  context.beginPath();
  values.forEach((y, index) => {
    const x = EXTENT * ((2 * index) / (CURVE_POINTS - 1) - 1);
    // A canvas does not draw a line at all if one end is too far away.
    context.lineTo(...placeOf(drawing, x, Math.max(-9, Math.min(9, y))));
  });
  context.stroke();
}

/** The number of contour bands of a loss surface. They are spaced by the square root of the loss, so that the valley has bands too. */
const BANDS = 14;

/** Draws a loss surface with contour lines. Lower values are bluer. */
export function drawLossSurface(drawing: Drawing, { losses, names }: LossSurface): void {
  const { context, palette, size } = drawing;
  const [least, most] = [Math.min(...losses), Math.max(...losses)];
  const heightOf = (loss: number) => Math.sqrt((loss - least) / (most - least || 1));
  picture(drawing, SURFACE_SIDE, palette.heights, (index) => heightOf(losses[index]!));
  context.strokeStyle = css(palette.text, 0.35);
  context.lineWidth = 1;
  for (let band = 1; band < BANDS; band++)
    contour(drawing, losses, SURFACE_SIDE, least + (most - least) * (band / BANDS) ** 2);
  drawAxes(drawing);
  context.fillStyle = css(palette.text);
  context.font = "13px system-ui, sans-serif";
  context.textAlign = "right";
  context.fillText(`${names[0]} →`, size - 8, size / 2 - 6);
  context.textAlign = "left";
  context.fillText(`↑ ${names[1]}`, size / 2 + 6, 16);
}

/** Draws the path of descent, from its start (ring) to its current position (disc). */
export function drawPath(drawing: Drawing, path: readonly number[], extent: number): void {
  const { context, palette } = drawing;
  if (path.length < 2) return;
  const at = (index: number) => placeOf(drawing, path[index]!, path[index + 1]!, extent);
  for (const [color, width] of [
    [palette.surface, 4],
    [palette.orange, 2],
  ] as const) {
    context.strokeStyle = css(color);
    context.lineWidth = width;
    context.beginPath();
    for (let index = 0; index < path.length; index += 2) context.lineTo(...at(index));
    context.stroke();
  }
  context.fillStyle = css(palette.orange);
  for (let index = 0; index < path.length; index += 2) {
    context.beginPath();
    context.arc(...at(index), index + 2 === path.length ? 6 : 2, 0, 2 * Math.PI);
    context.fill();
  }
  context.strokeStyle = css(palette.text);
  context.lineWidth = 2;
  context.beginPath();
  context.arc(...at(0), 6, 0, 2 * Math.PI);
  context.stroke();
}

/** Draws the values of a hidden unit, as a picture of the plane or as a curve, scaled to the unit's largest value. */
export function drawUnit(drawing: Drawing, values: Float32Array): void {
  const { palette } = drawing;
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  if (values.length === CURVE_POINTS) {
    drawBackground(drawing);
    drawAxes(drawing);
    drawCurve(
      drawing,
      values.map((value) => value / largest),
      { color: palette.blue, width: 3 },
    );
    return;
  }
  picture(drawing, PLANE_SIDE, palette.units, (index) => (values[index]! / largest + 1) / 2);
}
