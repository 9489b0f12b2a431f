import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Drawing } from "./draw.ts";
import { palette } from "./palette.ts";

interface CanvasProps {
  readonly testId?: string;
  /** Draws the picture. It is called again when the signals that it reads change. */
  readonly draw: (drawing: Drawing) => void;
  /** A description of the picture. Without one, screen readers skip it. */
  readonly label?: () => string;
}

/** A square canvas as wide as its parent, sharp on any screen. */
export function Canvas({ testId, draw, label }: CanvasProps) {
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
    const ratio = window.devicePixelRatio;
    const pixels = Math.round(side * ratio);
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
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
