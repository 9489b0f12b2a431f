import "uplot/dist/uPlot.min.css";
import "./style.css";
import { render } from "preact";
import { App, openPage } from "./app.tsx";
import { remote } from "./link.ts";

const createWorker = () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const search = new URLSearchParams(location.search);

if (search.has("test")) Object.assign(globalThis, { wgradTest: { loseDevice: () => remote.value?.loseDevice() } });

render(<App />, document.getElementById("app")!);
void openPage(createWorker, search);

// The worker's and the page's files are kept for when there is no network; the development server has no such list.
if (import.meta.env.PROD && "serviceWorker" in navigator) {
  void navigator.serviceWorker.register("./service-worker.js").catch(() => {});
}
