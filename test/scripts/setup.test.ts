import { describe, expect, test } from "vitest";

// The scripts are plain JavaScript, so that setup runs before anything is built: these are the types in their JSDoc.
interface AptSource {
  uris: string[];
  suites: string[];
  components: string[];
  options: Record<string, string>;
}

interface Plan {
  action: "install" | "instructions";
  from?: "distribution" | "backports";
  suite?: string;
  archive?: AptSource[];
  backports?: AptSource;
  lines?: string[];
}

interface Child {
  stdout: string;
  stderr: string;
  status: number | null;
  signal: string | null;
}

interface AptSources {
  parseDeb822Sources(text: string): AptSource[];
  parseSourcesList(text: string): AptSource[];
  debianSources(sources: AptSource[], codename: string): AptSource[];
  formatSource(source: AptSource): string;
}

interface OsRelease {
  parseOsRelease(text: string): Record<string, string>;
}

interface Planning {
  choosePlan(machine: {
    platform: string;
    osRelease: Record<string, string>;
    sources: AptSource[];
    mayInstall: boolean;
  }): Plan;
}

interface Adapter {
  readProbe(child: Child): { adapter?: object | null; reason?: string; unloadable?: string };
  isSoftware(adapter: { architecture: string; description: string; isFallbackAdapter?: boolean }): boolean;
}

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

interface NatsServers {
  findNatsServer: (machine: {
    environment: Record<string, string>;
    runs: (file: string) => boolean;
  }) => string | undefined;
  chooseNatsPlan: (machine: { family: readonly string[]; mayInstall: boolean }) => {
    action: "install" | "instructions";
    package?: string;
    lines?: string[];
  };
}

const load = async <Module>(name: string) => (await import(`../../scripts/setup/${name}.mjs`)) as Module;
const { parseDeb822Sources, parseSourcesList, debianSources, formatSource } = await load<AptSources>("apt-sources");
const { parseOsRelease } = await load<OsRelease>("os-release");
const { choosePlan } = await load<Planning>("plan");
const { findBrowser, chooseBrowserPlan } = await load<Browsers>("browser");
const { findNatsServer, chooseNatsPlan } = await load<NatsServers>("nats-server");
const { readProbe, isSoftware } = await load<Adapter>("adapter");

const debian = parseDeb822Sources(`Types: deb
# as the image was made
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`);

describe("deb822 sources", () => {
  test("stanzas and their fields", () => {
    const options = { "signed-by": "/usr/share/keyrings/debian-archive-keyring.gpg" };
    expect(debian).toEqual([
      {
        uris: ["http://mirror.example/debian"],
        suites: ["bookworm", "bookworm-updates"],
        components: ["main"],
        options,
      },
      { uris: ["http://mirror.example/debian-security"], suites: ["bookworm-security"], components: ["main"], options },
    ]);
  });

  test("disabled, commented-out and source-code entries are ignored", () => {
    const text = `Enabled: no
Types: deb
URIs: http://off.example
Suites: bookworm
Components: main

# Types: deb
# URIs: http://commented.example

Types: deb-src
URIs: http://source.example
Suites: bookworm
Components: main


types: deb-src deb
uris: http://first.example http://second.example
suites: bookworm
components: main contrib
`;
    expect(parseDeb822Sources(text)).toEqual([
      {
        uris: ["http://first.example", "http://second.example"],
        suites: ["bookworm"],
        components: ["main", "contrib"],
        options: {},
      },
    ]);
  });

  test("a key in the stanza keeps its lines", () => {
    const stanza = `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBGPL0BUBEADmW5NdOOHwPIJlgPu6
 -----END PGP PUBLIC KEY BLOCK-----
`;
    const [source] = parseDeb822Sources(stanza);
    expect(formatSource(source!)).toBe(stanza);
  });

  test.each(debian)("a formatted source is parsed to the same source: $uris", (source) => {
    expect(parseDeb822Sources(formatSource(source))).toEqual([source]);
  });
});

describe("one-line sources", () => {
  test("options, several components, comments", () => {
    const text = `# deb http://commented.example bookworm main
deb cdrom:[Debian GNU/Linux 12.1.0 _Bookworm_]/ bookworm main

deb http://mirror.example/debian bookworm main contrib # as installed
deb-src http://mirror.example/debian bookworm main
  deb [ arch=amd64,arm64 signed-by=/etc/apt/keys/debian.gpg check-valid-until=no ] https://a.example/x bookworm main
deb [trusted=yes] file:/srv/packages ./
`;
    expect(parseSourcesList(text)).toEqual([
      { uris: ["http://mirror.example/debian"], suites: ["bookworm"], components: ["main", "contrib"], options: {} },
      {
        uris: ["https://a.example/x"],
        suites: ["bookworm"],
        components: ["main"],
        options: {
          architectures: "amd64 arm64",
          "signed-by": "/etc/apt/keys/debian.gpg",
          "check-valid-until": "no",
        },
      },
      { uris: ["file:/srv/packages"], suites: ["./"], components: [], options: { trusted: "yes" } },
    ]);
  });

  test("a source is converted to the other format", () => {
    const [source] = parseSourcesList("deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main");
    expect(formatSource(source!)).toBe(`Types: deb
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
Architectures: amd64
Signed-By: /k.gpg
`);
  });
});

describe("Debian's own archive among the sources", () => {
  const other = parseSourcesList("deb [signed-by=/k.gpg] http://other.example/debian bookworm main");
  const tool = parseSourcesList("deb http://tool.example/apt bookworm stable\ndeb http://node.example nodistro main");

  test("includes the security archive, but not as the main one", () => {
    expect(debianSources(debian.toReversed(), "bookworm")).toEqual(debian);
  });

  test("excludes another publisher's bookworm main, in any position", () => {
    expect(debianSources([...other, ...tool, ...debian], "bookworm")).toEqual(debian);
  });

  test("is recognized by Debian's keyring without bookworm-updates", () => {
    const [main] = parseSourcesList(
      "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm main",
    );
    expect(debianSources([...other, main!], "bookworm")).toEqual([main]);
  });

  test("may be a single line", () => {
    const sources = parseSourcesList("deb http://mirror.example/debian bookworm main");
    expect(debianSources(sources, "bookworm")).toEqual(sources);
  });

  test("is empty if no source serves the release", () => {
    expect(debianSources([...tool, debian[1]!], "bookworm")).toEqual([]);
  });
});

const bookworm = parseOsRelease(`PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
VERSION_ID="12"
VERSION_CODENAME=bookworm
ID=debian
`);
const linux = (osRelease: Record<string, string>, sources: AptSource[] = [], mayInstall = true) =>
  choosePlan({ platform: "linux", osRelease, sources, mayInstall });

describe("the plan", () => {
  test("uses backports from the machine's mirror on Debian 12", () => {
    expect(linux(bookworm, debian)).toEqual({
      action: "install",
      from: "backports",
      suite: "bookworm-backports",
      archive: debian,
      backports: { ...debian[0], suites: ["bookworm-backports"] },
    });
  });

  test("adds no source on Debian 12 with backports", () => {
    const listed = parseSourcesList("deb http://mirror.example/debian bookworm-backports main");
    const plan = linux(bookworm, [...debian, ...listed]);
    expect(plan).toMatchObject({ action: "install", from: "backports", archive: [debian[0], debian[1], ...listed] });
    expect(plan.backports).toBeUndefined();
  });

  test("gives instructions on Debian 12 without a mirror", () => {
    expect(linux(bookworm).lines?.join("\n")).toContain('No apt source of this machine serves "bookworm main"');
  });

  test.each([
    ["Debian 13", { ID: "debian", VERSION_CODENAME: "trixie" }],
    ["Ubuntu 24.04", { ID: "ubuntu", ID_LIKE: "debian", VERSION_CODENAME: "noble" }],
    ["Linux Mint 22", { ID: "mint", ID_LIKE: "ubuntu debian", VERSION_CODENAME: "wilma", UBUNTU_CODENAME: "noble" }],
  ])("uses the packages of %s", (_name, osRelease) => {
    expect(linux(osRelease, debian)).toEqual({ action: "install", from: "distribution" });
  });

  test.each([
    ["Ubuntu 22.04", { ID: "ubuntu", ID_LIKE: "debian", VERSION_CODENAME: "jammy" }, /"jammy" is too old/],
    ["Fedora", { ID: "fedora" }, /dnf install mesa-vulkan-drivers/],
    ["Rocky Linux", { ID: "rocky", ID_LIKE: "rhel centos fedora" }, /dnf install mesa-vulkan-drivers/],
    ["Arch", { ID: "arch" }, /pacman -S vulkan-swrast/],
    ["openSUSE", { ID: "opensuse-leap", ID_LIKE: "suse opensuse" }, /zypper install libvulkan_lvp/],
    ["an unknown distribution", {}, /lavapipe/],
  ])("gives instructions on %s", (_name, osRelease, expected) => {
    const plan = linux(osRelease);
    expect(plan.action).toBe("instructions");
    expect(plan.lines?.join("\n")).toMatch(expected);
  });

  test.each([
    ["darwin", /Metal/],
    ["win32", /Direct3D 12/],
    ["freebsd", /freebsd/],
  ])("gives instructions on %s", (platform, expected) => {
    const plan = choosePlan({ platform, osRelease: {}, sources: [], mayInstall: false });
    expect(plan.lines?.join("\n")).toMatch(expected);
  });
});

describe("the commands to run if setup has no permission to install", () => {
  test("Debian 12", () => {
    expect(linux(bookworm, debian, false)).toEqual({
      action: "instructions",
      lines: [
        "Setup has no permission to install packages. Run these commands:",
        "",
        "sudo tee /etc/apt/sources.list.d/bookworm-backports.sources <<'END'",
        "Types: deb",
        "URIs: http://mirror.example/debian",
        "Suites: bookworm-backports",
        "Components: main",
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
        "END",
        "sudo apt-get update",
        "sudo apt-get install --no-install-recommends -t bookworm-backports \\",
        "  mesa-vulkan-drivers libvulkan1",
      ],
    });
  });

  test("Ubuntu", () => {
    const plan = linux({ ID: "ubuntu", VERSION_CODENAME: "noble" }, [], false);
    expect(plan.lines?.slice(2)).toEqual([
      "sudo apt-get update",
      "sudo apt-get install --no-install-recommends mesa-vulkan-drivers libvulkan1",
    ]);
  });

  test("no line is wider than 80 columns", () => {
    const others = ["fedora", "arch", "opensuse-leap", "void"].map((ID) => ({ ID }));
    const apt = ["trixie", "jammy"].map((codename) => ({ ID: "debian", VERSION_CODENAME: codename }));
    const plans = [...apt, ...others, bookworm].map((osRelease) => linux(osRelease, debian, false));
    for (const line of plans.flatMap(({ lines }) => lines ?? [])) expect(line.length).toBeLessThanOrEqual(80);
  });
});

test("os-release values with and without quotes", () => {
  expect(parseOsRelease(`NAME="Debian GNU/Linux"\nID=debian\n# comment\nVARIANT='a b'\n\n`)).toEqual({
    NAME: "Debian GNU/Linux",
    ID: "debian",
    VARIANT: "a b",
  });
});

describe("the result of the probe's process", () => {
  const child = { stdout: "", stderr: "", status: 0, signal: null };

  test("is an adapter, even if the driver crashes at the end of the process", () => {
    const stdout = 'a driver\'s own line\n{"adapter":{"vendor":"mesa"}}\n';
    expect(readProbe({ ...child, stdout, status: null, signal: "SIGSEGV" })).toEqual({ adapter: { vendor: "mesa" } });
  });

  test("is Dawn's reason if there is no adapter", () => {
    const stderr = "Warning: vkCreateInstance: Found no drivers!\n    at somewhere\n";
    expect(readProbe({ ...child, stdout: '{"adapter":null}\n', stderr })).toEqual({
      adapter: null,
      reason: "vkCreateInstance: Found no drivers",
    });
  });

  test("is the exit status after a crash", () => {
    expect(readProbe({ ...child, status: null, signal: "SIGSEGV" })).toEqual({
      adapter: null,
      reason: "the check ended with SIGSEGV",
    });
  });

  test("is the error of a missing package webgpu", () => {
    expect(readProbe({ ...child, stdout: '{"unloadable":"Cannot find package"}\n' })).toEqual({
      unloadable: "Cannot find package",
    });
  });

  test.each([
    [true, { architecture: "software", description: "" }],
    [true, { architecture: "", description: "", isFallbackAdapter: true }],
    [true, { architecture: "", description: "llvmpipe: Mesa 25.0.7" }],
    [true, { architecture: "", description: "SwiftShader Device" }],
    [false, { architecture: "ampere", description: "NVIDIA", isFallbackAdapter: false }],
  ])("software: %s for %o", (expected, adapter) => {
    expect(isSoftware(adapter)).toBe(expected);
  });
});

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

describe("a NATS server for the tests of sweeps", () => {
  const found = (there: string, environment: Record<string, string> = {}) =>
    findNatsServer({ environment: { PATH: "/usr/bin", ...environment }, runs: (file) => file === there });

  test("is the one in NATS_SERVER_PATH, unchecked, or one in PATH or the usual folders", () => {
    expect(found("/usr/bin/nats-server", { NATS_SERVER_PATH: "/opt/nats" })).toBe("/opt/nats");
    expect(found("/usr/bin/nats-server")).toBe("/usr/bin/nats-server");
    expect(found("/usr/sbin/nats-server")).toBe("/usr/sbin/nats-server");
    expect(found("/elsewhere/nats-server")).toBeUndefined();
  });

  test("is installed where apt has it and may install it, and otherwise left to the user", () => {
    const plan = { action: "install", package: "nats-server" };
    expect(chooseNatsPlan({ family: ["linuxmint", "ubuntu", "debian"], mayInstall: true })).toMatchObject(plan);
    const { action, lines } = chooseNatsPlan({ family: ["debian"], mayInstall: false });
    expect(action).toBe("instructions");
    expect(lines!.at(-1)).toBe("sudo apt-get install --no-install-recommends nats-server");
    expect(chooseNatsPlan({ family: ["fedora"], mayInstall: true }).lines!.join("\n")).toMatch(/NATS_SERVER_PATH/);
  });
});
