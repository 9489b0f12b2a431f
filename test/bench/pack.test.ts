import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

// The scripts are plain JavaScript, since parts of them run from the archive: these are the types in their JSDoc.
interface Machine {
  root: string;
  environment: Record<string, string | undefined>;
  linkerCache: ReadonlyMap<string, string>;
}

interface Way {
  title: string;
  manifest?: string;
  library?: string;
  folders: string[];
}

interface Drivers {
  parseLinkerCache(text: string): Map<string, string>;
  findManifests(machine: Machine): { file: string; library: string | undefined }[];
  waysToDriver(machine: Machine): Way[];
  environmentOf(machine: Machine, way: Way, bundled: { folder: string; names: string[] }): Machine["environment"];
  manifestFor(library: string): string;
}

interface Contents {
  contentsOf(from: { project: string; node: string; mnist: string; system: string }): {
    name: string;
    source?: string;
    bytes?: Uint8Array;
  }[];
}

const load = async <Module>(name: string) => (await import(`../../bench/pack/${name}.mjs`)) as Module;
const { parseLinkerCache, findManifests, waysToDriver, environmentOf, manifestFor } = await load<Drivers>("drivers");
const { contentsOf } = await load<Contents>("contents");

const project = fileURLToPath(new URL("../..", import.meta.url));
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "wgrad-pack-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string | Uint8Array = ""): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

describe("the way to a Vulkan driver", () => {
  const machine = (environment: Machine["environment"] = {}, linkerCache = new Map<string, string>()): Machine => ({
    root,
    environment,
    linkerCache,
  });
  const lent = "/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json";
  const bySelf = { title: "the Vulkan loader's default", folders: [] };

  test("is the Vulkan loader if there is no driver", () => {
    expect(waysToDriver(machine())).toEqual([bySelf]);
  });

  test("prefers a driver under /usr/local/nvidia to a software driver", () => {
    write("/usr/share/vulkan/icd.d/lvp_icd.json", manifestFor("libvulkan_lvp.so"));
    write(lent, manifestFor("libGLX_nvidia.so.0"));
    write("/usr/local/nvidia/lib64/libGLX_nvidia.so.0");
    const folders = ["/usr/local/nvidia/lib64"];
    const library = "libGLX_nvidia.so.0";
    expect(waysToDriver(machine())).toEqual([
      { title: lent, manifest: lent, library, folders },
      { title: `a new manifest for ${library}`, library, folders },
      bySelf,
    ]);
  });

  test("needs no folder for a library that the linker finds", () => {
    const file = "/etc/vulkan/icd.d/nvidia_icd.json";
    write(file, manifestFor("libGLX_nvidia.so.0"));
    const expected = { manifest: file, folders: [] };
    expect(waysToDriver(machine({}, new Map([["libGLX_nvidia.so.0", "/opt/libGLX_nvidia.so.0"]])))[0]).toMatchObject(
      expected,
    );
    write("/usr/lib/x86_64-linux-gnu/libGLX_nvidia.so.0");
    expect(waysToDriver(machine())[0]).toMatchObject(expected);
  });

  test("uses a new manifest for libraries without one, EGL's second", () => {
    write("/usr/local/nvidia/lib64/libEGL_nvidia.so.0");
    write("/opt/driver/libGLX_nvidia.so.0");
    const ways = waysToDriver(machine({ LD_LIBRARY_PATH: "/opt/driver" }));
    expect(ways.map(({ library, folders }) => [library, folders])).toEqual([
      ["libGLX_nvidia.so.0", []],
      ["libEGL_nvidia.so.0", ["/usr/local/nvidia/lib64"]],
      [undefined, []],
    ]);
  });

  test.each(["VK_DRIVER_FILES", "VK_ICD_FILENAMES"])("what %s names is taken as it is", (variable) => {
    write(lent, manifestFor("libGLX_nvidia.so.0"));
    write("/usr/local/nvidia/lib64/libGLX_nvidia.so.0");
    const named = machine({ [variable]: "/my.json" });
    const [way, ...others] = waysToDriver(named);
    expect(others).toEqual([]);
    expect(environmentOf(named, way!, { folder: "/lib", names: [] })).toEqual({
      [variable]: "/my.json",
      LD_LIBRARY_PATH: "/usr/local/nvidia/lib64",
    });
  });

  test("reads manifests with a library's name, absolute path, relative path, or none", () => {
    const folder = "/etc/vulkan/icd.d";
    write(`${folder}/a.json`, manifestFor("libA.so"));
    write(`${folder}/b.json`, manifestFor("/opt/libB.so"));
    write(`${folder}/c.json`, manifestFor("../libC.so"));
    write(`${folder}/d.json`, "{");
    write(`${folder}/readme.txt`);
    expect(findManifests(machine()).map(({ library }) => library)).toEqual([
      "libA.so",
      "/opt/libB.so",
      "/etc/vulkan/libC.so",
      undefined,
    ]);
  });

  test("uses the archive's libraries only for missing ones, after the machine's own", () => {
    write("/usr/local/nvidia/lib64/libGLX_nvidia.so.0");
    write("/usr/local/nvidia/lib64/libEGL.so.1");
    write("/lib64/libX11.so.6");
    const here = machine(
      { LD_LIBRARY_PATH: "/opt/own", HOME: "/root" },
      new Map([["libXext.so.6", "/x/libXext.so.6"]]),
    );
    const names = ["libvulkan.so.1", "libX11.so.6", "libXext.so.6", "libEGL.so.1"];
    const way = { title: "", manifest: lent, folders: ["/usr/local/nvidia/lib64"] };
    expect(environmentOf(here, way, { folder: "/archive/lib", names })).toEqual({
      HOME: "/root",
      VK_DRIVER_FILES: lent,
      VK_ICD_FILENAMES: lent,
      LD_LIBRARY_PATH: "/opt/own:/usr/local/nvidia/lib64:/archive/lib/libvulkan.so.1",
    });
    expect(environmentOf(machine(), { title: "", folders: [] }, { folder: "/archive/lib", names: [] })).toEqual({});
  });

  test("parses the output of ldconfig", () => {
    const text = `2 libs found in cache \`/etc/ld.so.cache'
\tlibz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1
\tlibold.so.1 (libc6) => /lib/i386-linux-gnu/libold.so.1
\tlibm.so.6 (libc6,x86-64, OS ABI: Linux 3.2.0) => /lib/x86_64-linux-gnu/libm.so.6
Cache generated by: ldconfig (Debian GLIBC 2.36) stable release version 2.36
`;
    expect([...parseLinkerCache(text)]).toEqual([
      ["libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1"],
      ["libm.so.6", "/lib/x86_64-linux-gnu/libm.so.6"],
    ]);
  });
});

describe("the archive's contents", () => {
  const digits = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
  ];
  const from = () => ({ project: root, node: "/opt/node", mnist: join(root, "digits"), system: join(root, "system") });

  /** The project with a dist of its own, so that the test needs no build. */
  beforeEach(() => {
    for (const name of ["node_modules", "bench", "scripts", "package.json", "LICENSE"])
      symlinkSync(join(project, name), join(root, name));
    const built = [
      "cli.js",
      "index.js",
      "kernels.wasm",
      "node.js",
      "chunks/a.js",
      "types/index.d.ts",
      "pages/assets/a.js",
    ];
    for (const name of [...built, "wgrad-bench.tar.gz"]) write(`dist/${name}`);
    for (const name of digits) write(`digits/${name}.gz`, gzipSync(name));
    for (const name of ["libvulkan.so.1", "libstdc++.so.6"]) write(`system/usr/lib/x86_64-linux-gnu/${name}`);
  });

  test("are Node, wgrad, Dawn for this platform only, the loader, and MNIST unpacked", () => {
    const entries = contentsOf(from());
    const names = entries.map(({ name }) => name);
    expect(names.filter((name) => /^(bin|dist|lib|mnist)\//.test(name) || name.endsWith(".node"))).toEqual([
      "bin/node",
      "dist/chunks/a.js",
      "dist/cli.js",
      "dist/index.js",
      "dist/kernels.wasm",
      "dist/node.js",
      "node_modules/webgpu/dist/linux-x64/dawn.node",
      "lib/libvulkan.so.1/libvulkan.so.1",
      "lib/libstdc++.so.6/libstdc++.so.6",
      ...digits.map((name) => `mnist/${name}`),
    ]);
    expect(new Set(names).size).toBe(names.length);
    expect(
      entries.filter(({ name, source }) => name !== "bin/node" && source !== undefined && !existsSync(source)),
    ).toEqual([]);
    expect(entries.flatMap(({ bytes }) => (bytes ? [new TextDecoder().decode(bytes)] : []))).toEqual(digits);
  });

  test("include every import of every script", () => {
    const entries = contentsOf(from());
    const names = new Set(entries.map(({ name }) => name));
    const packages = new Set(["webgpu", "commander"]);
    const scripts = entries.filter(({ name }) => name.endsWith(".mjs") && !name.startsWith("node_modules/"));
    expect(scripts.length).toBeGreaterThan(5);
    for (const { name, source } of scripts) {
      for (const [, wanted] of readFileSync(source!, "utf8").matchAll(/(?:from |import\()"([^"]+)"/g)) {
        if (wanted!.startsWith("node:")) continue;
        const isThere = wanted!.startsWith(".")
          ? names.has(posix.join(posix.dirname(name), wanted!))
          : packages.has(wanted!);
        expect(isThere, `${name} imports ${wanted}`).toBe(true);
      }
    }
  });

  test("include every package that the built code imports, directly or indirectly", () => {
    const names = new Set(contentsOf(from()).map(({ name }) => name));
    const { dependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
      dependencies: object;
    };
    // fast-png's own.
    for (const name of [...Object.keys(dependencies), "fflate", "iobuffer"])
      expect(names).toContain(`node_modules/${name}/package.json`);
  });

  test("include MNIST's uncompressed files unchanged", () => {
    for (const name of digits) write(`digits/${name}`, name);
    const sources = contentsOf(from())
      .filter(({ name }) => name.startsWith("mnist/"))
      .map(({ source }) => source);
    expect(sources).toEqual(digits.map((name) => join(root, "digits", name)));
  });

  test.each([
    ["dist/cli.js", "Run `npm run build` first"],
    ["digits/t10k-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte: neither this file nor its .gz exists"],
    ["system/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "install libvulkan1"],
  ])("need %s, and the error says how to get it", (path, message) => {
    rmSync(join(root, path));
    expect(() => contentsOf(from())).toThrow(message);
  });
});
