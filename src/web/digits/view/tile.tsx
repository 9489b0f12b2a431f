import { useRef } from "preact/hooks";
import { usePainting } from "../../shared/painting.ts";
import type { WeightsEvent } from "../contract.ts";
import { divergingColors, drawMosaic } from "./mosaic.ts";

/** How much of its color the weight of a pixel keeps that is blank in every training image: it stays noise. */
const FADED = 0.2;

/** The weights of a unit of the first layer as an image; with `ink`, each times the ink of the drawing at its pixel. */
export function Tile(props: {
  weights: WeightsEvent;
  /** The place of the unit in `weights.tileUnits`. */
  place: number;
  ink: Uint8Array | undefined;
  label: string;
}) {
  const { weights, place, ink, label } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  // Several sets of weights may arrive within a slow frame.
  usePainting(() => {
    if (!canvas.current) return;
    const { tiles, inked } = weights;
    const share = (pixel: number) => (ink ? ink[pixel]! / 255 : inked[pixel] ? 1 : FADED);
    drawMosaic(canvas.current, { side: 28, columns: 1, count: 1 }, divergingColors(), (pixel) =>
      Math.round(128 + tiles[784 * place + pixel]! * share(pixel)),
    );
  });
  return <canvas ref={canvas} class="mosaic" role="img" aria-label={label} width={28} height={28} />;
}
