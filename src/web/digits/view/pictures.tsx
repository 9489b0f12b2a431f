/*
 * Images of digits, 784 bytes each.
 */
import { useEffect, useRef } from "preact/hooks";
import { scheme } from "../../shared/colors.ts";
import { drawMosaic, inkColors } from "./mosaic.ts";

export function Pictures(props: {
  pictures: Uint8Array;
  count: number;
  label: string;
  testId: string;
  /** The number of images in a row; 10 by default. */
  perRow?: number;
}) {
  const { pictures, count, label, testId, perRow = 10 } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const colors = scheme.value;
  const columns = Math.min(count, perRow);
  useEffect(() => {
    if (canvas.current)
      drawMosaic(canvas.current, { side: 28, columns, count }, inkColors(), (index) => pictures[index]!);
  }, [pictures, colors]);
  return (
    <canvas
      ref={canvas}
      class="mosaic"
      role="img"
      aria-label={label}
      data-testid={testId}
      style={{ maxWidth: `${columns * (perRow < 10 ? 52 : 32)}px` }}
    />
  );
}

export function Picture({ pixels, label }: { pixels: Uint8Array; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const colors = scheme.value;
  useEffect(() => {
    if (canvas.current)
      drawMosaic(canvas.current, { side: 28, columns: 1, count: 1 }, inkColors(), (index) => pixels[index]!);
  }, [pixels, colors]);
  return <canvas ref={canvas} class="picture" role="img" aria-label={label} width={28} height={28} />;
}
