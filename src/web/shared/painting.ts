/*
 * Draws small pictures a few at a time, so that no frame of the page takes long.
 */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** The most pictures that are drawn in an animation frame. Each changed canvas costs it about 0.3 ms, more on a phone. */
const PICTURES_PER_FRAME = 20;

/** The pictures that are out of date, the oldest first. */
const waiting = new Set<() => void>();

function drawSome(): void {
  for (const draw of [...waiting].slice(0, PICTURES_PER_FRAME)) {
    waiting.delete(draw);
    draw();
  }
  if (waiting.size > 0) requestAnimationFrame(drawSome);
}

function drawSoon(draw: () => void): void {
  if (waiting.size === 0) requestAnimationFrame(drawSome);
  waiting.add(draw);
}

/** Draws a picture soon after each render of its component, and after each change of the signals that `draw` reads. */
export function usePainting(draw: () => void): void {
  const latest = useRef(draw);
  latest.current = draw;
  const painting = useRef<{ follow(): void; stop(): void }>(undefined);
  painting.current ??= paintingOf(() => latest.current());
  const { follow, stop } = painting.current;
  useEffect(() => drawSoon(follow));
  useEffect(
    () => () => {
      waiting.delete(follow);
      stop();
    },
    [],
  );
}

function paintingOf(draw: () => void) {
  let stop = () => {};
  // The first run of the effect draws, and so reads the signals. The next one only notes that the picture is out of date.
  const follow = () => {
    stop();
    let isFirst = true;
    stop = effect(() => {
      if (isFirst) draw();
      else drawSoon(follow);
      isFirst = false;
    });
  };
  return { follow, stop: () => stop() };
}
