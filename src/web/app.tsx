/*
 * The page around its two tabs.
 */
import { effect, signal } from "@preact/signals";
import type { Remote } from "comlink";
import type { DeviceChoice } from "../index.ts";
import type { DeviceInfo, WorkerApi } from "./contract.ts";
import { connect, formatDigits, parseDigits, reset, setVisible, stepOnce, toggleRunning } from "./digits/state.ts";
import { Digits } from "./digits/view/index.tsx";
import { Playground, playgroundCommands } from "./playground/index.tsx";
import { formatPlayground, parsePlayground } from "./playground/state.ts";
import { formatHash, parseHash, tabs, type Tab } from "./url.ts";
import { TabList } from "./tab-list.tsx";

const tab = signal<Tab>("digits");
const device = signal<DeviceInfo | undefined>(undefined);
const pageFault = signal<string | undefined>(undefined);

const titles: Record<Tab, string> = { digits: "Digits", playground: "Playground" };

/** Takes the state from the address, opens the device, and begins. */
export async function openPage(api: Remote<WorkerApi>, worker: Worker, search: URLSearchParams): Promise<void> {
  worker.addEventListener("error", ({ message }) => (pageFault.value = `The worker failed: ${message}`));
  readAddress();
  addEventListener("hashchange", readAddress);
  addEventListener("keydown", onKey);
  keepAddress();
  const asked = search.get("device");
  const choice: DeviceChoice = asked === "cpu" || asked === "webgpu" ? asked : "auto";
  try {
    device.value = await api.open({ device: choice, test: search.has("test"), page: new URL(".", location.href).href });
  } catch (error) {
    pageFault.value = error instanceof Error ? error.message : String(error);
    return;
  }
  await connect(api.digits);
}

function readAddress(): void {
  const { tab: wanted, params } = parseHash(location.hash);
  // Without any fields a tab stays as it is.
  if (params.size > 0) (wanted === "digits" ? parseDigits : parsePlayground)(params);
  show(wanted);
}

function show(wanted: Tab): void {
  tab.value = wanted;
  setVisible(wanted === "digits");
}

/** Writes the state into the address a moment after it changed. */
function keepAddress(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    const hash = formatHash(tab.value, tab.value === "digits" ? formatDigits() : formatPlayground());
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(null, "", hash), 200);
  });
}

const digitsCommands = { toggle: toggleRunning, step: stepOnce, reset };


/** What letters are typed into, or chosen by. */
const TYPED_INTO = "input:not([type=radio], [type=checkbox], [type=range], [type=color], [type=file]), select, textarea";

const PRESSED_BY_SPACE = "button, a, summary, [role=tab], input[type=radio], input[type=checkbox]";

/** Space starts and pauses, S steps, R resets, wherever the keys have no other use. */
function onKey(event: KeyboardEvent): void {
  const { target, key, ctrlKey, metaKey, altKey, repeat } = event;
  if (ctrlKey || metaKey || altKey || repeat) return;
  const typing = target instanceof Element && target.closest(TYPED_INTO) !== null;
  const pressing = target instanceof Element && target.closest(PRESSED_BY_SPACE) !== null;
  if (typing || (pressing && key === " ")) return;
  const commands = tab.value === "digits" ? digitsCommands : playgroundCommands;
  const action = { " ": commands.toggle, s: commands.step, r: commands.reset }[key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  void action();
}

export function App({ api }: { api: Remote<WorkerApi> }) {
  return (
    <>
      <header>
        <h1>wgrad</h1>
        <TabList
          label="Parts of the page"
          tabs={tabs.map((name) => ({ name, title: titles[name] }))}
          chosen={tab.value}
          choose={show}
        />
        <DeviceLine />
      </header>
      <main>
        {pageFault.value && <p class="fault" role="alert">{pageFault.value}</p>}
        <div role="tabpanel" id={`panel-${tab.value}`} aria-labelledby={`tab-${tab.value}`}>
          {tab.value === "digits" ? <Digits /> : <Playground api={api.playground} />}
        </div>
      </main>
    </>
  );
}

/** What computes, and why it is no GPU where it is none. */
function DeviceLine() {
  const info = device.value;
  if (!info) return <p class="device">{pageFault.value ? "No device" : "Looking for a GPU …"}</p>;
  const { kind, adapter, software, reason } = info;
  return (
    <p class="device">
      <strong data-testid="backend">{kind === "webgpu" ? "WebGPU" : "CPU"}</strong>{" "}
      <span data-testid="adapter">{adapter}</span>
      {software && " (a program that plays a GPU)"}
      {reason && <span class="reason" data-testid="cpu-reason">{reason}</span>}
    </p>
  );
}
