import { token, tokenColor } from "../../../shared/colors.ts";
import { pixelRatio } from "../../../shared/pixel-ratio.ts";
import type { Edge } from "./edges.ts";
import type { DiagramLayout } from "./layout.ts";

const image = new OffscreenCanvas(28, 28).getContext("2d")!;

/** The ink in the color of the text, on transparent paper. */
function inkImage(ink: Uint8Array): OffscreenCanvas {
  const pixels = image.createImageData(28, 28);
  const color = tokenColor("--text");
  ink.forEach((value, pixel) => pixels.data.set([...color, value], 4 * pixel));
  image.putImageData(pixels, 0, 0);
  return image.canvas;
}

/** Draws the input image and the edges. The units are elements above the canvas. */
export function drawDiagram(
  canvas: HTMLCanvasElement,
  size: { readonly width: number; readonly height: number },
  { picture }: DiagramLayout,
  ink: Uint8Array | undefined,
  edges: readonly Edge[],
): void {
  const scale = pixelRatio(canvas);
  const [width, height] = [Math.round(size.width * scale), Math.round(size.height * scale)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d")!;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  const [positive, negative] = [token("--accent"), token("--accent-2")];
  for (const { from, to, strength, width: thickest } of edges) {
    const bend = (to.x - from.x) / 2;
    context.strokeStyle = strength < 0 ? negative : positive;
    context.globalAlpha = 0.08 + 0.72 * Math.abs(strength);
    context.lineWidth = 0.4 + thickest * Math.abs(strength);
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.bezierCurveTo(from.x + bend, from.y, to.x - bend, to.y, to.x, to.y);
    context.stroke();
  }
  context.globalAlpha = 1;
  context.imageSmoothingEnabled = false;
  if (ink) context.drawImage(inkImage(ink), picture.x, picture.y, picture.side, picture.side);
  context.strokeStyle = token("--line");
  context.lineWidth = 1;
  context.strokeRect(picture.x + 0.5, picture.y + 0.5, picture.side - 1, picture.side - 1);
}
