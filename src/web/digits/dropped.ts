/*
 * A file that was dropped on the page, except on the Text tab: a network, or drawings that the page exported.
 */
import { visit } from "../shared/address/history.ts";
import { loadFile } from "./state/files.ts";
import { fault, viewOptions } from "./state/index.ts";
import { view } from "./view/views.tsx";

/**
 * Loads a network, or imports drawings, by the end of the file's name. Of other files, it says what can be dropped.
 * @throws Error if code of the page cannot be loaded
 */
export async function takeFile(file: File): Promise<void> {
  fault.value = undefined;
  const isOf = (end: string) => file.name.toLowerCase().endsWith(end);
  if (isOf(".safetensors")) return loadFile(file);
  if (isOf(".zip")) return takeDrawings(file);
  fault.value = `${file.name} is neither a network nor drawings. Drop a .safetensors file that Save made, or a .zip file that Export made. A text can be dropped on the Text tab.`;
}

/** Shows the drawings, and adds those of the file. */
async function takeDrawings(file: File): Promise<void> {
  view.value = "drawings";
  if (viewOptions.value.classMode) visit(() => (viewOptions.value = { ...viewOptions.value, classMode: false }));
  const { importFile } = await import("./collection/state.ts");
  await importFile(file);
  document.getElementById("tab-drawings")?.scrollIntoView({ block: "start" });
}
