import "uplot/dist/uPlot.min.css";
import "./style.css";
import { render } from "preact";
import { wrap } from "comlink";
import { App, openPage } from "./app.tsx";
import type { WorkerApi } from "./contract.ts";

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const api = wrap<WorkerApi>(worker);
const search = new URLSearchParams(location.search);

if (search.has("test")) Object.assign(globalThis, { wgradTest: { loseDevice: () => api.loseDevice() } });

render(<App api={api} />, document.getElementById("app")!);
void openPage(api, worker, search);

// The worker's and the page's files are kept for when there is no network; the development server has no such list.
if (import.meta.env.PROD && "serviceWorker" in navigator) {
  void navigator.serviceWorker.register("./service-worker.js").catch(() => {});
}
