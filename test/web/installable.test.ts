/*
 * What a system needs to install the page as an app.
 */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { SMALL, useDemo } from "./demo.ts";

const demo = useDemo();

interface Manifest {
  readonly name: string;
  readonly short_name: string;
  readonly start_url: string;
  readonly scope: string;
  readonly display: string;
  readonly icons: readonly { readonly src: string; readonly sizes: string; readonly type: string }[];
}

/** Whether a picture is a PNG, its size in pixels, and the alpha of its corner. */
const pictureAt = (page: Page, address: string) =>
  page.evaluate(async (source) => {
    const blob = await (await fetch(source)).blob();
    const image = new Image();
    image.src = URL.createObjectURL(blob);
    await image.decode();
    const context = document.createElement("canvas").getContext("2d")!;
    context.drawImage(image, 0, 0);
    const first = new Uint8Array(await blob.slice(0, 4).arrayBuffer());
    const isPng = String.fromCharCode(...first) === "\x89PNG";
    const { naturalWidth: width, naturalHeight: height } = image;
    return { isPng, width, height, corner: context.getImageData(0, 0, 1, 1).data[3] };
  }, address);

test("the page has a manifest that Chromium accepts, with icons of the sizes that it states", async () => {
  const visitor = await demo.visit("cpu", SMALL);
  const { page } = visitor;
  const session = await page.context().newCDPSession(page);
  const { url, data, errors } = await session.send("Page.getAppManifest");
  expect(errors).toEqual([]);
  const manifest = JSON.parse(data!) as Manifest;
  expect(manifest).toMatchObject({
    name: "wgrad: train a neural network on your GPU",
    short_name: "wgrad",
    display: "standalone",
  });
  // The page may be in any folder.
  const { address } = demo.site;
  for (const path of [manifest.start_url, manifest.scope]) expect(new URL(path, url).href).toBe(address);
  expect(manifest.icons.map(({ sizes }) => sizes)).toEqual(["any", "192x192", "512x512"]);
  for (const { src, sizes, type } of manifest.icons.filter((icon) => icon.sizes !== "any")) {
    const { isPng, width, height } = await pictureAt(page, new URL(src, url).href);
    expect({ isPng, sizes: `${width}x${height}` }).toEqual({ isPng: type === "image/png", sizes });
  }
});

test("the page has an icon for iOS, which shows transparent pixels as black", async () => {
  const { page } = await demo.visit("cpu", SMALL);
  const address = await page.locator("link[rel=apple-touch-icon]").evaluate((link) => (link as HTMLLinkElement).href);
  expect(await pictureAt(page, address)).toEqual({ isPng: true, width: 180, height: 180, corner: 255 });
});

test("the service worker keeps the manifest and its icons for use without a network", async () => {
  const site = await demo.serveApart();
  const { page } = await demo.visit("cpu", SMALL, { site });
  await page.evaluate("navigator.serviceWorker.ready.then(() => {})");
  await site.close();
  for (const name of ["manifest.webmanifest", "icon-192.png", "icon-512.png"]) {
    const status = await page.evaluate(async (path) => {
      const cached = await caches.match(new URL(path, document.baseURI));
      return cached?.status;
    }, name);
    expect({ name, status }).toEqual({ name, status: 200 });
  }
});
