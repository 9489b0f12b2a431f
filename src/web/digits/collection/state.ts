/*
 * The drawings that the visitors keep: how they change, and how the network reads them.
 */
import { computed, effect, signal } from "@preact/signals";
import { DataError } from "../../../index.ts";
import { download } from "../../shared/download.ts";
import { percent } from "../../shared/format.ts";
import { applied, networkVersion, ours, prepared, readPictures, send, test } from "../state/index.ts";
import { PICTURE_SIDE } from "../state/pad-image.ts";
import {
  MOST_DRAWINGS,
  removeDrawings,
  storedDrawings,
  storeDrawings,
  type LabeledDrawing,
  type StoredDrawing,
} from "./store.ts";

const PIXELS = PICTURE_SIDE ** 2;

/** All drawings, the first kept first; undefined until they are loaded. */
export const drawings = signal<readonly StoredDrawing[] | undefined>(undefined);

/** The digits that the current network reads, by the IDs of the drawings. */
export const readings = signal<ReadonlyMap<number, number>>(new Map());

/** The share of drawings that the network reads right, of those that it has read; undefined before the first. */
export const accuracy = computed(() => {
  const read = (drawings.value ?? []).filter(({ id }) => readings.value.has(id));
  const right = read.filter(({ id, label }) => readings.value.get(id) === label);
  return read.length === 0 ? undefined : right.length / read.length;
});

/** Where the visitor made a change: at a pad, or in the list of drawings. */
export type ChangePlace = "pad" | "list";

/** Why the last change failed. */
export const collectionFault = signal<{ readonly place: ChangePlace; readonly text: string } | undefined>(undefined);

/** The last change, in words, and how to undo it. */
export const lastChange = signal<{ readonly text: string; undo(): Promise<void> } | undefined>(undefined);

/** How many drawings there are of each digit. */
export const counts = computed(() => {
  const found = new Array<number>(10).fill(0);
  for (const { label } of drawings.value ?? []) found[label]!++;
  return found;
});

/** Such as "a 7" or "an 8". */
export const withArticle = (digit: number): string => `${digit === 8 ? "an" : "a"} ${digit}`;

/** Tells the page's other tabs of changes. */
const changes = new BroadcastChannel("wgrad-drawings");

/** Does something that may fail, and shows the error where the visitor did it. @returns whether it succeeded */
async function attempt(place: ChangePlace, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    collectionFault.value = undefined;
    return true;
  } catch (error) {
    collectionFault.value = { place, text: error instanceof Error ? error.message : String(error) };
    return false;
  }
}

const load = () => attempt("list", async () => void (drawings.value = await storedDrawings()));

let begun = false;

/** Loads the drawings, follows the changes of other tabs, and lets the network read. Only the first call has an effect. */
export function openCollection(): void {
  if (begun) return;
  begun = true;
  changes.addEventListener("message", () => void load().then(trainSoon));
  void load();
  effect(() => {
    void [drawings.value, test.value, prepared.value, networkVersion.value];
    readAgain();
  });
  effect(() => {
    ours.value = scoreText();
  });
}

/** Such as "Our 20 drawings: 85.0 %". */
function scoreText(): string {
  const count = drawings.value?.length ?? 0;
  if (count === 0) return "\u00a0";
  const isTrained = (prepared.value?.settings.drawingCopies ?? 0) > 0;
  const share = accuracy.value === undefined ? "–" : percent(accuracy.value);
  return `Our ${numbered(count)}${isTrained ? ", trained on" : ""}: ${share}`;
}

/** Such as "1 drawing" or "1,000 drawings". */
export const numbered = (count: number): string =>
  `${count.toLocaleString("en")} ${count === 1 ? "drawing" : "drawings"}`;

/** Shows a change that is stored, tells other tabs, and lets the network train on it if it trains on drawings. */
function changed(now: readonly StoredDrawing[]): void {
  drawings.value = now;
  changes.postMessage(undefined);
  trainSoon();
}

/** Stores drawings. */
async function add(added: readonly LabeledDrawing[]): Promise<StoredDrawing[]> {
  const before = drawings.value ?? [];
  if (before.length + added.length > MOST_DRAWINGS) {
    const what = `there would be ${before.length + added.length} drawings, and at most ${MOST_DRAWINGS} are kept`;
    throw new DataError({ where: "Drawings", what, fix: "Export the drawings, and remove some" });
  }
  const stored = await storeDrawings(added);
  changed([...(drawings.value ?? []), ...stored].sort((a, b) => a.id - b.id));
  return stored;
}

let keeping = false;

/** Keeps a drawing. @returns whether it is stored; a second press before that does nothing */
export async function keepDrawing(drawing: LabeledDrawing): Promise<boolean> {
  if (keeping) return false;
  keeping = true;
  const isKept = await attempt("pad", async () => {
    const stored = await add([drawing]);
    lastChange.value = { text: `Kept as ${drawing.label}.`, undo: () => take(stored) };
  });
  keeping = false;
  return isKept;
}

/** Removes drawings. */
export const remove = (removed: readonly StoredDrawing[]) =>
  attempt("list", async () => {
    await take(removed);
    const what = removed.length === 1 ? withArticle(removed[0]!.label) : numbered(removed.length);
    lastChange.value = { text: `Removed ${what}.`, undo: async () => void (await add(removed)) };
  });

async function take(removed: readonly StoredDrawing[]): Promise<void> {
  const ids = new Set(removed.map(({ id }) => id));
  await removeDrawings([...ids]);
  changed((drawings.value ?? []).filter(({ id }) => !ids.has(id)));
}

/** Undoes the last change. */
export const undoChange = (place: ChangePlace) =>
  attempt(place, async () => {
    await lastChange.value?.undo();
    lastChange.value = undefined;
  });

/** Adds the drawings of a file, except those that are kept already. */
export const importFile = (file: File) =>
  attempt("list", async () => {
    const { MOST_BYTES, readArchive } = await import("./file.ts");
    if (file.size > MOST_BYTES) {
      const what = `the file has ${file.size.toLocaleString("en")} bytes, and drawings at most ${MOST_BYTES.toLocaleString("en")}`;
      throw new DataError({ where: file.name, what, fix: "Import a file that this page has exported" });
    }
    const found = await readArchive(new Uint8Array(await file.arrayBuffer()), file.name);
    const keyOf = ({ label, pixels }: LabeledDrawing) => `${label} ${pixels.join()}`;
    const kept = new Set((drawings.value ?? []).map(keyOf));
    const added = found.filter((drawing) => !kept.has(keyOf(drawing)));
    const stored = await add(added);
    const known = found.length - added.length;
    const skipped = known === 0 ? "" : ` ${known} of the file were here already.`;
    lastChange.value = { text: `Imported ${numbered(added.length)}.${skipped}`, undo: () => take(stored) };
  });

/** Downloads all drawings as a file. */
export const exportFile = () =>
  attempt("list", async () => {
    const { archiveOf } = await import("./file.ts");
    download(await archiveOf(drawings.value ?? []), "wgrad-drawings.zip");
  });

let training: ReturnType<typeof setTimeout> | undefined;

/** Continues the training with the drawings of now, if it has drawings. A class that draws a lot makes one change of it. */
function trainSoon(): void {
  clearTimeout(training);
  training = setTimeout(() => {
    const settings = applied.value;
    if (settings && settings.drawingCopies > 0) void send({ kind: "adjust", settings });
  }, 1000);
}

/** The network whose readings are shown, whether they are being asked for, and whether they are outdated already. */
let shown: number | undefined;
let isReading = false;
let isStale = false;

/** Asks for the readings of all drawings. Another network is read at once. */
function readAgain(): void {
  const network = networkVersion.value;
  isStale = true;
  if (network !== shown) readings.value = new Map();
  else if (isReading) return;
  shown = network;
  isReading = true;
  void readOn(network);
}

/** Reads until the readings are those of now, a fifth of the time at most. */
async function readOn(network: number): Promise<void> {
  isStale = false;
  const began = performance.now();
  await readAll(network);
  await new Promise((resolve) => setTimeout(resolve, Math.max(250, 4 * (performance.now() - began))));
  // Another network may be read by now.
  if (shown !== network) return;
  if (isStale) void readOn(network);
  else isReading = false;
}

async function readAll(network: number): Promise<void> {
  const all = drawings.value ?? [];
  if (all.length === 0 || !prepared.value) return;
  const pictures = new Uint8Array(all.length * PIXELS);
  all.forEach(({ pixels }, index) => pictures.set(pixels, index * PIXELS));
  // Training reports the errors of a device.
  const shares = await readPictures(pictures).catch(() => undefined);
  if (!shares || network !== networkVersion.value) return;
  readings.value = new Map(
    all.map(({ id }, index) => {
      const own = shares.subarray(10 * index, 10 * index + 10);
      return [id, own.indexOf(Math.max(...own))];
    }),
  );
}
