/*
 * The notes of the tabs about an address with settings that are not allowed.
 */
import { expect, test } from "vitest";
import { message as ofConvolution } from "../../../../src/web/convolution/state/signals.ts";
import { readConvolutionAddress } from "../../../../src/web/convolution/state/address.ts";
import { readPlaygroundAddress } from "../../../../src/web/playground/state/address.ts";
import { message as ofPlayground } from "../../../../src/web/playground/state/signals.ts";
import { readTextAddress } from "../../../../src/web/text/state/address.ts";
import { message as ofText } from "../../../../src/web/text/state/signals.ts";

const tabs = [
  { name: "Playground", read: readPlaygroundAddress, message: ofPlayground },
  { name: "Convolution", read: readConvolutionAddress, message: ofConvolution },
  { name: "Text", read: readTextAddress, message: ofText },
];

test.each(tabs)("$name: a note stays until an address is valid, and other messages stay", ({ read, message }) => {
  const readText = (text: string) => read(new URLSearchParams(text));
  const note = (text: string) => ({
    kind: "note",
    text: `The address contains unknown or invalid settings: ${text}. The defaults are used instead.`,
  });
  readText("zoom=9");
  expect(message.value).toEqual(note("zoom=9"));
  readText("zoom=8");
  expect(message.value).toEqual(note("zoom=8"));
  readText("");
  expect(message.value).toBeUndefined();
  const other = { kind: "error", text: "The worker failed." } as const;
  message.value = other;
  readText("");
  expect(message.value).toBe(other);
});

test("Text: the note about a text that the address does not contain goes with the next address", () => {
  readTextAddress(new URLSearchParams("data=own"));
  expect(ofText.value?.text).toMatch(/^The address does not contain the text that was learned/);
  readTextAddress(new URLSearchParams("data=own&zoom=9"));
  expect(ofText.value?.text).toMatch(/zoom=9/);
  readTextAddress(new URLSearchParams("data=own"));
  expect(ofText.value?.text).toMatch(/^The address does not contain the text that was learned/);
  readTextAddress(new URLSearchParams());
  expect(ofText.value).toBeUndefined();
});
