import "uplot/dist/uPlot.min.css";
import "./style.css";
import { render } from "preact";
import { App, openPage } from "./app.tsx";

const createWorker = () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });

render(<App />, document.getElementById("app")!);
void openPage(createWorker, new URLSearchParams(location.search));

// The worker's and the page's files are kept for when there is no network; the development server has no such list.
if (import.meta.env.PROD && "serviceWorker" in navigator) {
  void navigator.serviceWorker.register("./service-worker.js").catch(() => {});
}
