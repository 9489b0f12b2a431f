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

/** What a visitor may lend the tab to. */
export interface Offers {
  readonly runs: readonly OfferedRun[];
  /** The number of trials of sweeps that wait or are in progress; undefined if no sweep lets browsers train. */
  readonly trials: number | undefined;
}

/** What the worker does for a run, or for trials. */
export type LendEvent =
  /** It waits for a trial. */
  | { readonly kind: "idle" }
  /** It trains a trial, from a step on. */
  | { readonly kind: "trial"; readonly trial: string; readonly step: number }
  /** It has trained a part of a trial. */
  | { readonly kind: "progress"; readonly step: number; readonly totalSteps: number; readonly loss: number }
  /** It has finished a trial, and so many so far. The score is null if training diverged. */
  | { readonly kind: "result"; readonly trials: number; readonly score: number | null }
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
   * Connects to a server, in place of one before, and lists what is open there.
   * @throws WgradError with a text for the visitor if the server cannot be reached or refuses the visitor
   */
  connect(server: Server): Promise<Offers>;
  /**
   * Trains parts of a run until it ends. The page stops it by ending the worker.
   * @param name names this tab in the tables of the run
   * @throws WgradError with a text for the visitor
   */
  join(run: string, name: string, report: (event: LendEvent) => void): Promise<LendEnd>;
  /**
   * Trains trials of sweeps, one after another, and waits for more.
   * @param name names this tab in the tables of the sweeps
   * @returns after `leave`
   * @throws WgradError with a text for the visitor
   */
  takeTrials(name: string, report: (event: LendEvent) => void): Promise<void>;
  /** Stores a checkpoint of the trial in progress, and gives it to another worker. */
  leave(): Promise<void>;
}
