/*
 * The benchmark in a browser. `bench.html?quick&filter=matmul` runs immediately with these settings. Without settings in
 * the address, the page waits for the button.
 */
import {
  growthTableOf,
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
import { createWebGPUBackend } from "../../backends/on-demand.ts";
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

/** Shows a status text. `data-state` holds the state for automated tests. */
function setStatus(state: "waiting" | "running" | "done" | "failed", text: string): void {
  document.body.dataset["state"] = state;
  byId("state").textContent = text;
}

function fieldList(fields: readonly (readonly [name: string, value: string])[]): HTMLElement {
  const list = element("dl");
  for (const [name, value] of fields) list.append(element("dt", name), element("dd", value));
  return list;
}

/** A section of the page with results of one kind. */
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

/** Shows results as they arrive. */
class Page {
  readonly #sections = new Map<string, Section>();

  show(event: BenchmarkEvent): void {
    switch (event.kind) {
      case "beginning":
        this.#section("Environment").add(fieldList(headFields(event.report)));
        break;
      case "kernel":
        this.#section("Kernels").addRow(kernelLayout, event.row);
        break;
      case "step": {
        const section = this.#section(stepTitle(event.row));
        for (const kernel of event.row.kernels) section.addRow(kernelLayout, kernel);
        section.add(fieldList(stepFields(event.row)));
        break;
      }
      case "growth": {
        const { title, layout } = growthTableOf(event.row);
        this.#section(title).addRow(layout, event.row);
        break;
      }
      case "leftOut":
        this.#section("Skipped").add(element("p", `${event.left.name}: ${event.left.why}`));
        break;
      case "wrong": {
        const line = element("p", event.left.why);
        line.className = "wrong";
        this.#section("Wrong results, not timed").add(line);
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

/** Fills the form with the settings in the address. */
function fillForm(settings: URLSearchParams): void {
  for (const field of document.querySelectorAll("input")) {
    if (field.type === "checkbox") field.checked = settings.has(field.name);
    else field.value = settings.get(field.name) ?? "";
  }
}

const tuning = browserTuningStore();

/** Finds and stores the fastest tilings for the steps of the benchmark. */
async function tune(): Promise<void> {
  setStatus("running", "Tuning …");
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
    setStatus("running", "Measuring …");
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
    if (wrong === undefined) setStatus("done", "Done.");
    else setStatus("failed", `On this adapter ${wrong}.`);
  } catch (error) {
    setStatus("failed", error instanceof Error ? error.message : String(error));
    if (!(error instanceof WgradError)) throw error;
  }
}

const settings = new URLSearchParams(location.search);
fillForm(settings);
if (settings.size > 0) void run(settings);
else setStatus("waiting", "");
