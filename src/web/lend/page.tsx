/*
 * The page at `?lend`, without the tabs: this browser trains parts of somebody else's run.
 */
import "./lend.css";
import { render } from "preact";
import { DeviceLine } from "../device-line.tsx";
import { deviceNames } from "../shared/names.ts";
import { device, deviceFault, openDevice } from "./state.ts";
import { LendView } from "./view.tsx";

/** Shows the page. `?lend=ADDRESS&run=NAME` proposes a server and a run. */
export async function openLendPage(element: Element, search: URLSearchParams): Promise<void> {
  render(<LendPage address={search.get("lend") ?? ""} run={search.get("run") ?? ""} />, element);
  const asked = search.get("device");
  await openDevice(deviceNames.find((name) => name === asked) ?? "auto");
}

function LendPage({ address, run }: { address: string; run: string }) {
  return (
    <>
      <header>
        <h1>wgrad</h1>
        <nav class="row links" aria-label="More">
          <a href="./">Demo</a>
        </nav>
        <DeviceLine info={device.value} fault={deviceFault.value} />
      </header>
      <main>
        {deviceFault.value && (
          <p class="fault" role="alert" data-testid="page-fault">
            {deviceFault.value}
          </p>
        )}
        <LendView address={address} run={run} />
      </main>
    </>
  );
}
