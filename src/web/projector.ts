/*
 * The view for a projector: large type, and little besides what is to be seen and the buttons to train.
 */
import "./projector.css";
import { effect, signal } from "@preact/signals";
import { setParameter } from "./shared/address/history.ts";

/** The page is enlarged to the size of the window from this size, at which its smallest text has 12 pixels. */
const DESIGN = { width: 960, height: 540 };

export const projector = signal(false);

/** Follows the parameter `view` of the address, and later the signal. */
export function openProjector(search: URLSearchParams, app: HTMLElement): void {
  projector.value = search.get("view") === "projector";
  const scale = () => {
    const factor = Math.max(1, Math.min(innerWidth / DESIGN.width, innerHeight / DESIGN.height));
    app.style.zoom = projector.value ? String(factor) : "";
  };
  addEventListener("resize", scale);
  effect(() => {
    document.documentElement.classList.toggle("projector", projector.value);
    setParameter("view", projector.value ? "projector" : undefined);
    scale();
  });
}
