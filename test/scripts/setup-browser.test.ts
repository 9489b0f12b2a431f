import { describe, expect, test } from "vitest";

// The scripts are plain JavaScript, so that setup runs before anything is built: these are the types in their JSDoc.
interface Browsers {
  findBrowser(machine: {
    platform: string;
    environment: Record<string, string>;
    runs(file: string): boolean;
  }): string | undefined;
  chooseBrowserPlan(machine: { platform: string; family: readonly string[]; mayInstall: boolean }): {
    action: "install" | "instructions";
    package?: string;
    lines?: string[];
  };
}

const { findBrowser, chooseBrowserPlan } = (await import("../../scripts/setup/browser.mjs" as string)) as Browsers;

describe("a browser for the tests of the demo", () => {
  const found = (there: readonly string[], machine: { platform?: string; environment?: Record<string, string> } = {}) =>
    findBrowser({
      platform: "linux",
      environment: { PATH: "/usr/local/bin:/usr/bin" },
      ...machine,
      runs: (file) => there.includes(file),
    });

  test("is the one in CHROME_PATH, unchecked", () => {
    expect(found(["/usr/bin/chromium"], { environment: { PATH: "/usr/bin", CHROME_PATH: "/opt/chrome" } })).toBe(
      "/opt/chrome",
    );
  });

  test("is searched for in PATH, Chromium before Chrome", () => {
    expect(found(["/usr/bin/google-chrome", "/usr/bin/chromium"])).toBe("/usr/bin/chromium");
    expect(found(["/usr/local/bin/google-chrome"])).toBe("/usr/local/bin/google-chrome");
    expect(found(["/opt/chromium"])).toBeUndefined();
  });

  test("is searched for among the programs of macOS and Windows", () => {
    const mac = "/Users/me/Applications/Chromium.app/Contents/MacOS/Chromium";
    expect(found([mac], { platform: "darwin", environment: { HOME: "/Users/me" } })).toBe(mac);
    const windows = "C:\\Programs\\Google\\Chrome\\Application\\chrome.exe";
    expect(found([windows], { platform: "win32", environment: { PROGRAMFILES: "C:\\Programs" } })).toBe(windows);
  });

  test.each([
    [["debian"], "chromium"],
    [["ubuntu", "debian"], "chromium-browser"],
    [["linuxmint", "ubuntu", "debian"], "chromium-browser"],
  ])("is installed on %j with permission, and otherwise the commands are printed", (family, name) => {
    expect(chooseBrowserPlan({ platform: "linux", family, mayInstall: true })).toEqual({
      action: "install",
      package: name,
    });
    const { action, lines } = chooseBrowserPlan({ platform: "linux", family, mayInstall: false });
    expect(action).toBe("instructions");
    expect(lines!.at(-1)).toBe(`sudo apt-get install --no-install-recommends ${name}`);
  });

  test("is left to the user, with instructions, on other systems", () => {
    for (const [platform, family] of [
      ["linux", ["fedora"]],
      ["darwin", []],
      ["win32", []],
    ] as const) {
      const { action, lines } = chooseBrowserPlan({ platform, family, mayInstall: true });
      expect(action).toBe("instructions");
      expect(lines!.join("\n")).toMatch(/CHROME_PATH/);
    }
  });
});
