/*
 * Takes the visitor's own text.
 */
import { batch } from "@preact/signals";
import { readText, readTextFile, type ReadText } from "../own-text.ts";
import { ownText, settings, textForm } from "./signals.ts";

/** Learns a text, or says why not. */
export const takeText = (text: string): void => take(readText(text));

/** Learns the text of a file, or says why not. */
export const takeFile = async (file: File): Promise<void> => take(await readTextFile(file));

function take(read: ReadText): void {
  batch(() => {
    if ("fault" in read) {
      textForm.value = { open: true, fault: read.fault };
      return;
    }
    ownText.value = read.text;
    settings.value = { ...settings.value, data: "own" };
    textForm.value = { open: false };
  });
}
