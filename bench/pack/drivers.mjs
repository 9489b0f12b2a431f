import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

/**
 * A machine on which a Vulkan driver is looked for.
 *
 * @typedef {object} Machine
 * @property {string} root the folder that stands for "/"; another one in tests
 * @property {Record<string, string | undefined>} environment
 * @property {ReadonlyMap<string, string>} linkerCache what the dynamic linker knows: libraries' paths by their names
 *
 * A driver as its manifest describes it, a file of JSON that the Vulkan loader reads.
 *
 * @typedef {object} Manifest
 * @property {string} file
 * @property {string | undefined} library a name or a path; undefined where the file names none
 *
 * One way to a driver: by the manifest at `manifest`, by one that is to be written for `library`, or, with neither, by
 * what the Vulkan loader finds.
 *
 * @typedef {object} Way
 * @property {string} title
 * @property {string} [manifest]
 * @property {string} [library]
 * @property {string[]} folders where libraries must be looked for beside the usual places
 */

/** Where the Vulkan loader looks by itself, apart from the user's own folders. */
const STANDARD_MANIFESTS = ["/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d"];

/** Where a container or a virtual machine that is lent a GPU may have the host's driver; no loader looks there. */
const NVIDIA_MANIFESTS = [
  "/usr/local/nvidia/share/vulkan/icd.d",
  "/usr/local/nvidia/etc/vulkan/icd.d",
  "/usr/local/nvidia/vulkan/icd.d",
];
const NVIDIA_FOLDERS = ["/usr/local/nvidia/lib64", "/usr/local/nvidia/lib/x86_64-linux-gnu", "/usr/local/nvidia/lib"];

/** Where the dynamic linker looks without being told. */
const LINKER_FOLDERS = [
  "/lib/x86_64-linux-gnu",
  "/usr/lib/x86_64-linux-gnu",
  "/lib64",
  "/usr/lib64",
  "/lib",
  "/usr/lib",
];

/**
 * NVIDIA's Vulkan driver under both its names: with X11's libraries, as its manifest has it, and with EGL's, for
 * machines without a display.
 */
const NVIDIA_LIBRARIES = ["libGLX_nvidia.so.0", "libEGL_nvidia.so.0"];

/** The variables that name manifests to the loader; the second is that of loaders before 1.3.207. */
const MANIFEST_VARIABLES = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/**
 * Reads what `ldconfig -p` prints.
 *
 * @param {string} text
 * @returns {Map<string, string>} paths of the x86-64 libraries by their names
 */
export function parseLinkerCache(text) {
  return new Map([...text.matchAll(/^\s+(\S+) \([^)]*x86-64[^)]*\) => (.+)$/gm)].map(([, name, path]) => [name, path]));
}

/**
 * The manifests of drivers in the usual places and in NVIDIA's.
 *
 * @param {Machine} machine
 * @returns {Manifest[]}
 */
export function findManifests({ root }) {
  return [...STANDARD_MANIFESTS, ...NVIDIA_MANIFESTS].flatMap((folder) =>
    namesIn(join(root, folder))
      .filter((name) => name.endsWith(".json"))
      .map((name) => ({ file: join(folder, name), library: libraryOf(root, join(folder, name)) })),
  );
}

/**
 * Looks for a library as the dynamic linker does, then in NVIDIA's folders.
 *
 * @param {Machine} machine
 * @param {string} library a name or an absolute path
 * @returns {{ path: string, folder?: string } | undefined} where it lies, and the folder that must be named to the
 *   linker for it or what it needs; undefined where it is nowhere
 */
export function locateLibrary({ root, environment, linkerCache }, library) {
  const exists = (path) => existsSync(join(root, path));
  if (isAbsolute(library)) {
    if (!exists(library)) return undefined;
    const folder = dirname(library);
    return LINKER_FOLDERS.includes(folder) ? { path: library } : { path: library, folder };
  }
  const pathsIn = (folders) => folders.map((folder) => join(folder, library));
  const own = (environment.LD_LIBRARY_PATH ?? "").split(":").filter(Boolean);
  const cached = linkerCache.get(library);
  const path = pathsIn(own).find(exists) ?? cached ?? pathsIn(LINKER_FOLDERS).find(exists);
  if (path !== undefined) return { path };
  const elsewhere = pathsIn(NVIDIA_FOLDERS).find(exists);
  return elsewhere && { path: elsewhere, folder: dirname(elsewhere) };
}

/**
 * The ways to a driver, in the order in which they are worth trying: what the user named, and nothing else; else
 * NVIDIA's manifests; else its libraries, for machines that have them without a manifest; else what the loader finds,
 * which may be a driver that computes on the CPU.
 *
 * @param {Machine} machine
 * @returns {Way[]}
 */
export function waysToDriver(machine) {
  const libraries = NVIDIA_LIBRARIES.filter((library) => locateLibrary(machine, library));
  const named = MANIFEST_VARIABLES.find((variable) => machine.environment[variable]);
  if (named !== undefined) {
    const folders = new Set(libraries.flatMap((library) => foldersFor(machine, library)));
    return [{ title: `${named}=${machine.environment[named]}, as it was set`, folders: [...folders] }];
  }
  return [
    ...findManifests(machine)
      .filter(({ file, library }) => /nvidia/i.test(`${file} ${library}`))
      .map(({ file, library }) => ({ title: file, manifest: file, library, folders: foldersFor(machine, library) })),
    ...libraries.map((library) => ({
      title: `a manifest of our own for ${library}`,
      library,
      folders: foldersFor(machine, library),
    })),
    { title: "what the Vulkan loader finds by itself", folders: [] },
  ];
}

/**
 * The environment in which a way is gone.
 *
 * @param {Machine} machine
 * @param {Pick<Way, "manifest" | "folders">} way
 * @param {{ folder: string, names: string[] }} bundled the archive's libraries, each in a folder of its own name
 * @returns {Record<string, string | undefined>}
 */
export function environmentOf(machine, { manifest, folders }, bundled) {
  const isThere = (name) => {
    const located = locateLibrary(machine, name);
    return located !== undefined && (located.folder === undefined || folders.includes(located.folder));
  };
  // A library of the machine's own suits its driver better, so the archive's stand in for missing ones only.
  const missing = bundled.names.filter((name) => !isThere(name)).map((name) => join(bundled.folder, name));
  const path = [machine.environment.LD_LIBRARY_PATH, ...folders, ...missing].filter(Boolean).join(":");
  return {
    ...machine.environment,
    ...(path !== "" && { LD_LIBRARY_PATH: path }),
    ...(manifest !== undefined && Object.fromEntries(MANIFEST_VARIABLES.map((variable) => [variable, manifest]))),
  };
}

/**
 * A manifest for a driver's library.
 *
 * @param {string} library
 * @returns {string} JSON
 */
export function manifestFor(library) {
  return JSON.stringify({ file_format_version: "1.0.0", ICD: { library_path: library, api_version: "1.3.0" } });
}

/** The folders that must be named to the dynamic linker for a library. */
function foldersFor(machine, library) {
  const folder = library && locateLibrary(machine, library)?.folder;
  return folder ? [folder] : [];
}

/** The library that a manifest names; a path from the manifest's own folder becomes an absolute one. */
function libraryOf(root, manifest) {
  try {
    const library = JSON.parse(readFileSync(join(root, manifest), "utf8")).ICD.library_path;
    return library.includes("/") && !isAbsolute(library) ? join(dirname(manifest), library) : library;
  } catch {
    return undefined;
  }
}

function namesIn(folder) {
  return existsSync(folder) ? readdirSync(folder).toSorted() : [];
}
