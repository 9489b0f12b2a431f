/*
 * The interface between the page at `?lend` and its worker, carried by Comlink.
 */
import type { DeviceChoice } from "../../index.ts";
import type { DeviceInfo } from "../contract.ts";

/** A server, and how the visitor proves to be allowed to use it. */
export interface Server {
  /** An address such as wss://host:443. */
  readonly address: string;
  /** Empty for a token, or if the server asks for nothing. */
  readonly user: string;
  /** The password of the user, or a token. */
  readonly secret: string;
}

/** A run that is open on a server. */
export interface OfferedRun {
  readonly name: string;
  /** The number of workers that its first round waits for. */
  readonly workers: number;
  readonly innerSteps: number;
  /** Why this page cannot join it. */
  readonly obstacle: string | undefined;
}

/** What the worker does for a run. */
export type LendEvent =
  /** It fetches the model and the data. */
  | { readonly kind: "fetching" }
  /** It is one of the workers of the run. */
  | { readonly kind: "joined" }
  /** It has trained a part of a round. */
  | { readonly kind: "round"; readonly rounds: number; readonly examples: number; readonly loss: number }
  /** Bytes since it connected. */
  | { readonly kind: "traffic"; readonly sent: number; readonly received: number }
  /** The connection was lost, or is back. */
  | { readonly kind: "note"; readonly text: string };

/** How lending ended: the run is finished, or nobody coordinates it any more. */
export type LendEnd = "finished" | "abandoned";

export interface LendApi {
  /**
   * Opens the device. Call it first.
   * @param page the address of the page
   * @throws DeviceError if the device is not available
   */
  open(choice: DeviceChoice, page: string): Promise<Omit<DeviceInfo, "mnist">>;
  /**
   * Connects to a server, in place of one before, and lists its open runs.
   * @throws WgradError with a text for the visitor if the server cannot be reached or refuses the visitor
   */
  connect(server: Server): Promise<OfferedRun[]>;
  /**
   * Trains parts of a run until it ends. The page stops it by ending the worker.
   * @param name names this tab in the tables of the run
   * @throws WgradError with a text for the visitor
   */
  join(run: string, name: string, report: (event: LendEvent) => void): Promise<LendEnd>;
}
