/*
 * The benchmark in a browser. `bench.html?quick&filter=matmul` runs at once with these settings; without settings the page
 * waits for the button.
 */
import {
  GROWTH_TITLE,
  growthLayout,
  headFields,
  kernelLayout,
  reportJson,
  runBenchmark,
  stepFields,
  stepTitle,
  wrongText,
  type BenchmarkEvent,
  type BenchmarkReport,
  type TableLayout,
} from "../index.ts";
import { browserTuningStore } from "../../backends/webgpu/browser-store.ts";
import { createWebGPUBackend } from "../../backends/webgpu/index.ts";
import { exactNetwork } from "../data.ts";
import { browserGpu } from "../../device/adapter.ts";
import { WgradError } from "../../errors.ts";
import { stepProducts } from "../../nn/products.ts";

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, text = ""): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

const byId = (id: string) => document.getElementById(id)!;

/** Shows the state of the page, also in `data-state` for tests and scripts. */
function say(state: "waiting" | "running" | "done" | "failed", text: string): void {
  document.body.dataset["state"] = state;
  byId("state").textContent = text;
}

function fieldList(fields: readonly (readonly [name: string, value: string])[]): HTMLElement {
  const list = element("dl");
  for (const [name, value] of fields) list.append(element("dt", name), element("dd", value));
  return list;
}

/** The part of the page for results of one kind. */
class Section {
  readonly #part = element("section");
  #body: HTMLElement | undefined;

  constructor(title: string) {
    this.#part.append(element("h2", title));
    byId("report").append(this.#part);
  }

  add(...parts: HTMLElement[]): void {
    this.#part.append(...parts);
  }

  addRow<Row>({ columns, cells }: TableLayout<Row>, row: Row): void {
    const rowOf = (kind: "th" | "td", texts: readonly string[]) => {
      const made = element("tr");
      texts.forEach((text, column) => {
        const cell = element(kind, text);
        if (columns[column]?.right) cell.className = "right";
        made.append(cell);
      });
      return made;
    };
    if (!this.#body) {
      const [table, head] = [element("table"), element("thead")];
      this.#body = element("tbody");
      head.append(
        rowOf(
          "th",
          columns.map(({ title }) => title),
        ),
      );
      table.append(head, this.#body);
      this.#part.append(table);
    }
    this.#body.append(rowOf("td", cells(row)));
  }
}

/** Shows results as they become available. */
class Page {
  readonly #sections = new Map<string, Section>();

  show(event: BenchmarkEvent): void {
    switch (event.kind) {
      case "beginning":
        this.#section("this machine").add(fieldList(headFields(event.report)));
        break;
      case "kernel":
        this.#section("kernels").addRow(kernelLayout, event.row);
        break;
      case "step": {
        const section = this.#section(stepTitle(event.row));
        for (const kernel of event.row.kernels) section.addRow(kernelLayout, kernel);
        section.add(fieldList(stepFields(event.row)));
        break;
      }
      case "growth":
        this.#section(GROWTH_TITLE).addRow(growthLayout, event.row);
        break;
      case "leftOut":
        this.#section("skipped").add(element("p", `${event.left.name}: ${event.left.why}`));
        break;
      case "wrong": {
        const line = element("p", event.left.why);
        line.className = "wrong";
        this.#section("wrong results, not timed").add(line);
      }
    }
  }

  #section(title: string): Section {
    const section = this.#sections.get(title) ?? new Section(title);
    this.#sections.set(title, section);
    return section;
  }
}

function showJson(report: BenchmarkReport): void {
  const text = reportJson(report);
  byId("text").textContent = text;
  byId("download").setAttribute("href", URL.createObjectURL(new Blob([text], { type: "application/json" })));
  byId("json").hidden = false;
}

/** Copies the settings of the address to the form, so that the page shows them. */
function fillForm(settings: URLSearchParams): void {
  for (const field of document.querySelectorAll("input")) {
    if (field.type === "checkbox") field.checked = settings.has(field.name);
    else field.value = settings.get(field.name) ?? "";
  }
}

const tuning = browserTuningStore();

/** Finds and saves the fastest tilings for the benchmarked steps. */
async function tune(): Promise<void> {
  say("running", "Tuning …");
  const backend = await createWebGPUBackend(browserGpu(), { tuning });
  try {
    const model = exactNetwork([128]);
    await backend.tune(
      [64, 512].flatMap((batch) => stepProducts(model, batch)),
      () => {},
      { budget: 1000 },
    );
  } finally {
    backend.dispose();
  }
}

async function run(settings: URLSearchParams): Promise<void> {
  const page = new Page();
  try {
    if (settings.has("tune")) await tune();
    say("running", "Measuring …");
    const report = await runBenchmark({
      source: browserGpu(),
      runtime: navigator.userAgent,
      system: `${navigator.hardwareConcurrency} logical cores`,
      tuning,
      filter: settings.get("filter") ?? "",
      growth: settings.has("growth"),
      quick: settings.has("quick"),
      emit: (event) => page.show(event),
    });
    showJson(report);
    const wrong = wrongText(report);
    if (wrong === undefined) say("done", "Done.");
    else say("failed", `On this adapter ${wrong}.`);
  } catch (error) {
    say("failed", error instanceof Error ? error.message : String(error));
    if (!(error instanceof WgradError)) throw error;
  }
}

const settings = new URLSearchParams(location.search);
fillForm(settings);
if (settings.size > 0) void run(settings);
else say("waiting", "");
