/*
 * The Text tab.
 */
import "./text.css";
import "./sample.css";
import "./detail.css";
import "./vectors.css";
import type * as Comlink from "comlink";
import { useEffect } from "preact/hooks";
import type { WorkerApi } from "../../contract.ts";
import { connect } from "../state/index.ts";
import { Detail } from "./detail.tsx";
import { History } from "./history.tsx";
import { LossChart } from "./loss-chart.tsx";
import { SampleCard } from "./sample.tsx";
import { Settings } from "./settings.tsx";
import { Toolbar } from "./toolbar.tsx";
import { Vectors } from "./vectors.tsx";

/** The Text tab. It trains while it is visible. */
export function Text({ worker }: { worker: Comlink.Remote<WorkerApi> }) {
  useEffect(() => connect(worker.openText()), [worker]);
  return (
    <div class="text-tab">
      <Toolbar />
      <SampleCard />
      <Detail />
      <History />
      <LossChart />
      <Vectors />
      <Settings />
    </div>
  );
}
