import { useSignal, useSignalEffect, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

const slow = matchMedia("(prefers-reduced-motion: reduce)");

/** The time between redraws of a chart or picture. A redraw costs the page a few milliseconds. */
export const redrawMilliseconds = () => (slow.matches ? 1000 : 150);

/** Follows a signal, but changes only as often as a chart should be redrawn. */
export function useForChart<Value>(source: Signal<Value>): Signal<Value> {
  const followed = useSignal(source.peek());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useSignalEffect(() => {
    void source.value;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      followed.value = source.peek();
    }, redrawMilliseconds());
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return followed;
}
