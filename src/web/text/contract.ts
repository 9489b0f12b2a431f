/*
 * The interface of the Text tab to the worker: the calls, and the events that the worker sends.
 */
import type { RunApi, RunEvent } from "../shared/run-contract.ts";
import type { RunSettings } from "./settings.ts";

/** What the network learns from. */
export interface TextRunSettings extends RunSettings {
  /** The visitor's own text, if `data` is "own". */
  readonly text?: string;
}

/** Losses in bits per character that need no network. */
export interface References {
  /** All characters are equally likely. */
  readonly uniform: number;
  /** Each character has its frequency. */
  readonly unigram: number;
  /** Each pair of neighbors has its frequency. */
  readonly bigram: number;
}

/** Training has begun. */
export interface PreparedEvent {
  readonly kind: "prepared";
  /** Whether the weights are new. Otherwise training continues. */
  readonly fresh: boolean;
  readonly data: RunSettings["data"];
  /** The character of each token. */
  readonly characters: readonly string[];
  readonly layers: number;
  readonly heads: number;
  /** The number of parameters. */
  readonly parameters: number;
  /** The number of questions, or of characters, to learn from, and of those to test with. */
  readonly training: number;
  readonly test: number;
  readonly references: References;
}

/** Texts that the network wrote at a step. */
export interface Sample {
  readonly step: number;
  /** The tokens of all rows: [rows, length]. */
  readonly tokens: Uint32Array;
  readonly rows: number;
  readonly length: number;
  /** The first tokens of a row are given: a question, or the beginning of a text. The network wrote the others. */
  readonly given: number;
  /** For each token but the first of a row, the logits from which it was drawn: [rows, length − 1, vocabulary]. */
  readonly logits: Float32Array;
  /**
   * The attention weights of each layer as bytes, 255 for 1: [rows, heads, length − 1, length − 1]. The query at a position
   * predicts the next token.
   */
  readonly attention: readonly Uint8Array[];
  /** The vector of each token as bytes, 127 for the largest absolute number of all: [vocabulary, width]. */
  readonly vectors: Int8Array;
  /** The true tokens of each row, for a task. */
  readonly answers?: Uint32Array;
}

export type TextEvent =
  | PreparedEvent
  | { readonly kind: "sample"; readonly sample: Sample }
  /** The mean training loss, in bits per character, of the steps since the last such event, and their speed. */
  | { readonly kind: "progress"; readonly step: number; readonly loss: number; readonly tokensPerSecond: number }
  | {
      readonly kind: "test";
      readonly step: number;
      /** In bits per character. */
      readonly loss: number;
      /** The fraction of questions with an exact answer, for a task. */
      readonly exact?: number;
    }
  | RunEvent;

/** The worker's side of the tab. */
export interface TextApi extends RunApi<TextRunSettings, TextEvent> {
  /** Sets the temperature of the following samples. */
  setTemperature(request: number, temperature: number): Promise<void>;
}
