/*
 * Saves and loads networks as files.
 */
import { DataError } from "../../../index.ts";
import { download } from "../../shared/download.ts";
import { scaled } from "../../shared/format.ts";
import { act, connected, send } from "./connection.ts";
import { fault, running, step } from "./signals.ts";

/** Downloads the network as a file. */
export async function saveFile(): Promise<void> {
  await act(async () => {
    const bytes = (await connected().save()) as Uint8Array<ArrayBuffer>;
    download(bytes, `wgrad-digits-${step.value}.safetensors`);
  });
}

/** The largest file to read: several times the size of the page's widest network. */
const MOST_FILE_BYTES = 2 ** 28;

/** Loads the network in a file, after a check of the file's size. */
export async function loadFile(file: File): Promise<void> {
  fault.value = undefined;
  await act(async () => {
    if (file.size > MOST_FILE_BYTES) {
      const [size, most] = [file.size, MOST_FILE_BYTES].map((bytes) => `${scaled(bytes)}B`);
      throw new DataError({
        where: file.name,
        what: `the file is ${size}`,
        fix: `Choose a network of at most ${most}`,
      });
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    running.value = false;
    await send({ kind: "load", bytes, name: file.name });
  });
}
