/*
 * The page around its tabs.
 */
import { signal } from "@preact/signals";
import { keepAddress, visit } from "./shared/address/history.ts";
import { setVisible } from "./digits/state/index.ts";
import { digitsTab } from "./digits/tab.tsx";
import { dragging, takeDrops } from "./shared/drop.ts";
import { ContinueOnCpu } from "./continue.tsx";
import { DeviceLine } from "./device-line.tsx";
import { currentLesson, lessonView, takeLesson, withLesson } from "./lessons/current.ts";
import { LessonMenu } from "./lessons/menu.tsx";
import { device, openLink, pageFault } from "./link.ts";
import { openProjector, projector } from "./projector.ts";
import { formatHash, parseHash, tabs, type Tab } from "./shared/address/hash.ts";
import { lazy } from "./shared/lazy.tsx";
import { deviceNames } from "./shared/names.ts";
import { TabList } from "./shared/tab-list.tsx";
import { addTab, formatParams, loadedTabs, loadTab, readParams, tabTitles } from "./tabs.ts";

const tab = signal<Tab>("digits");

/** The tab whose files could not be loaded. */
const tabFault = signal<Tab | undefined>(undefined);

/** Reads the state from the address, opens the device, and starts training. */
export async function openPage(
  createWorker: () => Worker,
  search: URLSearchParams,
  element: HTMLElement,
): Promise<void> {
  openProjector(search, element);
  addTab("digits", digitsTab);
  readAddress(false);
  addEventListener("keydown", onKey);
  takeDrops((file) => {
    const { takeFile } = loadedTabs.value[tab.value] ?? {};
    if (takeFile) return void takeFile(file);
    visit(() => leaveFor("digits"));
    void digitsTab.takeFile(file);
  });
  keepAddress(() => formatHash(tab.value, withLesson(formatParams(tab.value))), readAddress);
  const asked = search.get("device");
  const choice = deviceNames.find((name) => name === asked) ?? "auto";
  await openLink({ createWorker, choice });
}

function readAddress(whole: boolean): void {
  const { tab: wanted, params } = parseHash(location.hash);
  takeLesson(params);
  // An address that a visitor typed without parameters leaves the tab as it is.
  if (params.size > 0 || whole) readParams(wanted, params);
  show(wanted);
}

/** Shows another tab. A lesson belongs to its tab. */
function leaveFor(wanted: Tab): void {
  if (wanted !== tab.value) currentLesson.value = undefined;
  show(wanted);
}

function show(wanted: Tab): void {
  tab.value = wanted;
  setVisible(wanted === "digits");
  tabFault.value = undefined;
  loadTab(wanted).catch(() => (tabFault.value = wanted));
}

/** Elements that use letter keys themselves. */
const TYPED_INTO = "input:not([type=radio], [type=checkbox], [type=range], [type=file]), select, textarea";

const PRESSED_BY_SPACE = "button, a, summary, input[type=radio], input[type=checkbox]";

/** Space starts and pauses, S runs one step, R resets, and Escape leaves the view for a projector, unless the focused element uses the key itself. */
function onKey(event: KeyboardEvent): void {
  const { target, key, ctrlKey, metaKey, altKey, repeat, defaultPrevented } = event;
  if (ctrlKey || metaKey || altKey || repeat || defaultPrevented) return;
  const typing = target instanceof Element && target.closest(TYPED_INTO) !== null;
  const pressing = target instanceof Element && target.closest(PRESSED_BY_SPACE) !== null;
  // The Escape key closes an open list first.
  if (key === "Escape" && !document.querySelector(":popover-open")) projector.value = false;
  if (typing || (pressing && key === " ")) return;
  const commands = loadedTabs.value[tab.value]?.commands;
  const action = commands && { " ": commands.toggle, s: commands.step, r: commands.reset }[key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  void action();
}

const LessonCard = lazy(async () => (await import("./lessons/card.tsx")).LessonCard);

export function App() {
  const View = lessonView.value ?? loadedTabs.value[tab.value]?.View;
  return (
    <>
      <header>
        <h1>wgrad</h1>
        <TabList
          label="Sections"
          tabs={tabs.map((name) => ({ name, title: tabTitles[name] }))}
          chosen={tab.value}
          choose={(name) => visit(() => leaveFor(name))}
        />
        <LessonMenu />
        <Links />
        <button
          type="button"
          class="projector-button"
          data-testid="projector"
          title="Large type, few controls; Escape leaves"
          onClick={() => (projector.value = !projector.value)}
        >
          {projector.value ? "Leave" : "Projector"}
        </button>
        <DeviceLine info={device.value} fault={pageFault.value} />
      </header>
      <main class={dragging.value ? "dragging" : ""}>
        {pageFault.value && (
          <div class="fault" role="alert" data-testid="page-fault">
            <p>{pageFault.value}</p>
            {!device.value && <ContinueOnCpu />}
          </div>
        )}
        {currentLesson.value && <LessonCard />}
        <div role="tabpanel" id={`panel-${tab.value}`} aria-labelledby={`tab-${tab.value}`}>
          {View ? <View /> : <Loading />}
        </div>
      </main>
    </>
  );
}

/** The address of the repository, if the build was given one. */
const repository: string | undefined = import.meta.env.VITE_REPOSITORY;

function Links() {
  return (
    <nav class="row links" aria-label="More">
      {repository && (
        <>
          <a href={repository}>Source</a>
          <a href={`${repository}/blob/HEAD/docs/guide/README.md`}>Guide</a>
        </>
      )}
      <a href="./bench.html">Benchmark</a>
      <a href="?lend">Lend this tab</a>
    </nav>
  );
}

/** In place of a tab whose code is not loaded. */
function Loading() {
  if (tabFault.value !== tab.value) return <p class="quiet">Loading …</p>;
  return (
    <p class="fault" role="alert">
      The files of this tab could not be loaded. Check the connection, and choose the tab again.
    </p>
  );
}
