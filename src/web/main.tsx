import "uplot/dist/uPlot.min.css";
import "./style.css";
import "./shared/fields.css";
import "./shared/run.css";
import { render } from "preact";
import { App, openPage } from "./app.tsx";

const createWorker = () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });

const search = new URLSearchParams(location.search);
const element = document.getElementById("app")!;
if (search.has("lend")) {
  import("./lend/page.tsx").then(
    ({ openLendPage }) => openLendPage(element, search),
    () => element.append("The files of this page could not be loaded. Check the connection, and reload it."),
  );
} else {
  render(<App />, element);
  void openPage(createWorker, search, element);
}

// The service worker caches the page's files for use offline. The development server has none.
if (import.meta.env.PROD && "serviceWorker" in navigator) {
  void navigator.serviceWorker.register("./service-worker.js").catch(() => {});
}
