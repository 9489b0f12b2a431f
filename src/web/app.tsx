/*
 * The page around its tabs.
 */
import { signal } from "@preact/signals";
import { deviceChoices } from "../index.ts";
import type { convolutionTab } from "./convolution/tab.tsx";
import { keepAddress, visit } from "./shared/address/history.ts";
import {
  formatDigits,
  loadFile,
  parseDigits,
  reset,
  setVisible,
  stepOnce,
  toggleRunning,
} from "./digits/state/index.ts";
import { Digits } from "./digits/view/index.tsx";
import { dragging, takeDrops } from "./shared/drop.ts";
import { ContinueOnCpu } from "./continue.tsx";
import { device, openLink, pageFault, remote } from "./link.ts";
import { Playground } from "./playground/view/index.tsx";
import { formatPlayground, playgroundCommands, readPlaygroundAddress } from "./playground/state/index.ts";
import { formatHash, parseHash, tabs, type Tab } from "./shared/address/hash.ts";
import { TabList } from "./shared/tab-list.tsx";

const tab = signal<Tab>("digits");

const titles: Record<Tab, string> = { digits: "Digits", playground: "Playground", convolution: "Convolution" };

/** The Convolution tab, whose code is loaded when it is first opened. */
const convolution = signal<typeof convolutionTab | undefined>(undefined);

/** Why that failed. */
const convolutionFault = signal<string | undefined>(undefined);

/** The parameters of its address, until its code is loaded. */
let convolutionParams = new URLSearchParams();

async function loadConvolution(): Promise<void> {
  if (convolution.value) return;
  try {
    const loaded = (await import("./convolution/tab.tsx")).convolutionTab;
    loaded.read(convolutionParams);
    convolution.value = loaded;
    convolutionFault.value = undefined;
  } catch {
    convolutionFault.value =
      "The files of this tab could not be loaded. Check the connection, and choose the tab again.";
  }
}

/** Reads the state from the address, opens the device, and starts training. */
export async function openPage(createWorker: () => Worker, search: URLSearchParams): Promise<void> {
  readAddress(false);
  addEventListener("keydown", onKey);
  takeDrops((file) => {
    visit(() => show("digits"));
    void loadFile(file);
  });
  keepAddress(() => formatHash(tab.value, formats[tab.value]()), readAddress);
  const asked = search.get("device");
  const choice = deviceChoices.find((name) => name === asked) ?? "auto";
  await openLink({ createWorker, choice });
}

/** The state of each tab as parameters of the address. */
const formats: Record<Tab, () => URLSearchParams> = {
  digits: formatDigits,
  playground: formatPlayground,
  convolution: () => convolution.value?.format() ?? convolutionParams,
};

const readers: Record<Tab, (params: URLSearchParams) => void> = {
  digits: parseDigits,
  playground: readPlaygroundAddress,
  convolution(params) {
    convolutionParams = params;
    convolution.value?.read(params);
  },
};

function readAddress(whole: boolean): void {
  const { tab: wanted, params } = parseHash(location.hash);
  // An address that a visitor typed without parameters leaves the tab as it is.
  if (params.size > 0 || whole) readers[wanted](params);
  show(wanted);
}

function show(wanted: Tab): void {
  tab.value = wanted;
  setVisible(wanted === "digits");
  if (wanted === "convolution") void loadConvolution();
}

/** What the keys of each tab do. */
const commandsOf = (name: Tab) =>
  ({
    digits: { toggle: toggleRunning, step: stepOnce, reset },
    playground: playgroundCommands,
    convolution: convolution.value?.commands,
  })[name];

/** Elements that use letter keys themselves. */
const TYPED_INTO =
  "input:not([type=radio], [type=checkbox], [type=range], [type=color], [type=file]), select, textarea";

const PRESSED_BY_SPACE = "button, a, summary, [role=tab], input[type=radio], input[type=checkbox]";

/** Space starts and pauses, S runs one step, R resets, unless the focused element uses the key itself. */
function onKey(event: KeyboardEvent): void {
  const { target, key, ctrlKey, metaKey, altKey, repeat, defaultPrevented } = event;
  if (ctrlKey || metaKey || altKey || repeat || defaultPrevented) return;
  const typing = target instanceof Element && target.closest(TYPED_INTO) !== null;
  const pressing = target instanceof Element && target.closest(PRESSED_BY_SPACE) !== null;
  if (typing || (pressing && key === " ")) return;
  const commands = commandsOf(tab.value);
  const action = commands && { " ": commands.toggle, s: commands.step, r: commands.reset }[key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  void action();
}

export function App() {
  return (
    <>
      <header>
        <h1>wgrad</h1>
        <TabList
          label="Sections"
          tabs={tabs.map((name) => ({ name, title: titles[name] }))}
          chosen={tab.value}
          choose={(name) => visit(() => show(name))}
        />
        <DeviceLine />
      </header>
      <main class={dragging.value ? "dragging" : ""}>
        {pageFault.value && (
          <div class="fault" role="alert" data-testid="page-fault">
            <p>{pageFault.value}</p>
            {!device.value && <ContinueOnCpu />}
          </div>
        )}
        <div role="tabpanel" id={`panel-${tab.value}`} aria-labelledby={`tab-${tab.value}`}>
          <TabView />
        </div>
      </main>
    </>
  );
}

function TabView() {
  if (tab.value === "digits") return <Digits />;
  if (tab.value === "playground") return remote.value ? <Playground worker={remote.value} /> : null;
  const { View } = convolution.value ?? {};
  if (View) return <View />;
  const fault = convolutionFault.value;
  return fault ? (
    <p class="fault" role="alert">
      {fault}
    </p>
  ) : (
    <p class="quiet">Loading …</p>
  );
}

/** The device, and why it is not a GPU if it is not. */
function DeviceLine() {
  const info = device.value;
  if (!info) return <p class="device">{pageFault.value ? "No device" : "Looking for a GPU …"}</p>;
  const { kind, adapter, software, reason } = info;
  const isGpu = kind === "webgpu";
  return (
    <p class="device">
      <strong data-testid="backend">{isGpu ? "WebGPU" : "CPU"}</strong>{" "}
      <span data-testid="adapter">
        {!isGpu && (kind === "wasm" ? `(${adapter})` : "(reference backend)")}
        {isGpu && (software ? `software adapter (${adapter}, runs on the CPU)` : adapter)}
      </span>
      {reason && (
        <span class="reason" data-testid="cpu-reason">
          {reason}
        </span>
      )}
    </p>
  );
}
