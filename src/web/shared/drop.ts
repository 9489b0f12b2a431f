/*
 * Files dropped on the page. Wherever they are dropped, the browser must not leave the page to show them.
 */
import { signal } from "@preact/signals";

/** Whether files are being dragged over the page. */
export const dragging = signal(false);

const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files") === true;

/** @param take receives the first dropped file */
export function takeDrops(take: (file: File) => void): void {
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    dragging.value = true;
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node)) dragging.value = false;
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    dragging.value = false;
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}
