import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { pixelRatio } from "../../shared/pixel-ratio.ts";
import type { Drawing } from "./draw.ts";
import { palette } from "./palette.ts";

interface CanvasProps {
  readonly testId?: string;
  /** Draws the picture. It is called again when the signals that it reads change. */
  readonly draw: (drawing: Drawing) => void;
  /** In CSS pixels; as high as it is wide by default. */
  readonly height?: number;
  /** A description of the picture. Without one, screen readers skip it. */
  readonly label?: () => string;
}

/** A canvas as wide as its parent, sharp on any screen. */
export function Canvas({ testId, draw, height, label }: CanvasProps) {
  const reference = useRef<HTMLCanvasElement>(null);
  const size = useSignal(0);
  const latest = useRef(draw);
  latest.current = draw;
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => (size.value = entry!.contentRect.width));
    observer.observe(reference.current!);
    return () => observer.disconnect();
  }, []);
  useSignalEffect(() => {
    const canvas = reference.current;
    const colors = palette.value;
    const side = size.value;
    if (!canvas || side === 0) return;
    const ratio = pixelRatio(canvas);
    const [wide, high] = [side, height ?? side].map((length) => Math.round(length * ratio));
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide!, high!];
    const context = canvas.getContext("2d")!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    latest.current({ context, size: side, palette: colors });
  });
  return (
    <canvas
      ref={reference}
      data-testid={testId}
      {...(label ? { role: "img", "aria-label": label() } : { "aria-hidden": true })}
    />
  );
}
