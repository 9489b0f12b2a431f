import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

/**
 * A machine on which to find a Vulkan driver.
 *
 * @typedef {object} Machine
 * @property {string} root the root folder, "/" except in tests
 * @property {Record<string, string | undefined>} environment
 * @property {ReadonlyMap<string, string>} linkerCache the dynamic linker's cache: paths of libraries by name
 *
 * The manifest of a driver, a JSON file that the Vulkan loader reads.
 *
 * @typedef {object} Manifest
 * @property {string} file
 * @property {string | undefined} library a name or a path; undefined if the file has none
 *
 * A way to load a driver: with the manifest at `manifest`, with a new manifest for `library`, or, with neither, whatever the
 * Vulkan loader finds.
 *
 * @typedef {object} Way
 * @property {string} title
 * @property {string} [manifest]
 * @property {string} [library]
 * @property {string[]} folders additional folders for the dynamic linker
 */

/** The Vulkan loader's default folders, besides those in the user's home. */
const STANDARD_MANIFESTS = ["/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d"];

/** Where containers and virtual machines may have the host's driver; no loader searches these folders. */
const NVIDIA_MANIFESTS = [
  "/usr/local/nvidia/share/vulkan/icd.d",
  "/usr/local/nvidia/etc/vulkan/icd.d",
  "/usr/local/nvidia/vulkan/icd.d",
];
const NVIDIA_FOLDERS = ["/usr/local/nvidia/lib64", "/usr/local/nvidia/lib/x86_64-linux-gnu", "/usr/local/nvidia/lib"];

/** The dynamic linker's default folders. */
const LINKER_FOLDERS = [
  "/lib/x86_64-linux-gnu",
  "/usr/lib/x86_64-linux-gnu",
  "/lib64",
  "/usr/lib64",
  "/lib",
  "/usr/lib",
];

/**
 * NVIDIA's Vulkan driver under both its names: for X11, as in its manifest, and for EGL, on machines without a display.
 */
const NVIDIA_LIBRARIES = ["libGLX_nvidia.so.0", "libEGL_nvidia.so.0"];

/** The environment variables with manifests for the loader; the second is for loaders before 1.3.207. */
const MANIFEST_VARIABLES = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/**
 * Parses the output of `ldconfig -p`.
 *
 * @param {string} text
 * @returns {Map<string, string>} paths of the x86-64 libraries by their names
 */
export function parseLinkerCache(text) {
  return new Map([...text.matchAll(/^\s+(\S+) \([^)]*x86-64[^)]*\) => (.+)$/gm)].map(([, name, path]) => [name, path]));
}

/**
 * Finds the manifests of drivers in the default folders and in NVIDIA's.
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
 * Finds a library like the dynamic linker, then in NVIDIA's folders.
 *
 * @param {Machine} machine
 * @param {string} library a name or an absolute path
 * @returns {{ path: string, folder?: string } | undefined} its path, and the folder that the linker needs for it or its
 *   dependencies; undefined if it is not found
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
 * The ways to load a driver, in the order to try them. If the user set an environment variable, only that; otherwise
 * NVIDIA's manifests, then NVIDIA's libraries without a manifest, then whatever the loader finds, which may be a software
 * driver.
 *
 * @param {Machine} machine
 * @returns {Way[]}
 */
export function waysToDriver(machine) {
  const libraries = NVIDIA_LIBRARIES.filter((library) => locateLibrary(machine, library));
  const named = MANIFEST_VARIABLES.find((variable) => machine.environment[variable]);
  if (named !== undefined) {
    const folders = new Set(libraries.flatMap((library) => foldersFor(machine, library)));
    return [{ title: `${named}=${machine.environment[named]}, from the environment`, folders: [...folders] }];
  }
  return [
    ...findManifests(machine)
      .filter(({ file, library }) => /nvidia/i.test(`${file} ${library}`))
      .map(({ file, library }) => ({ title: file, manifest: file, library, folders: foldersFor(machine, library) })),
    ...libraries.map((library) => ({
      title: `a new manifest for ${library}`,
      library,
      folders: foldersFor(machine, library),
    })),
    { title: "the Vulkan loader's default", folders: [] },
  ];
}

/**
 * The environment variables for a way to load a driver.
 *
 * @param {Machine} machine
 * @param {Pick<Way, "manifest" | "folders">} way
 * @param {{ folder: string, names: string[] }} bundled the archive's libraries, each in a folder with its name
 * @returns {Record<string, string | undefined>}
 */
export function environmentOf(machine, { manifest, folders }, bundled) {
  const isThere = (name) => {
    const located = locateLibrary(machine, name);
    return located !== undefined && (located.folder === undefined || folders.includes(located.folder));
  };
  // The machine's own libraries fit its driver better, so the archive's only replace missing ones.
  const missing = bundled.names.filter((name) => !isThere(name)).map((name) => join(bundled.folder, name));
  const path = [machine.environment.LD_LIBRARY_PATH, ...folders, ...missing].filter(Boolean).join(":");
  return {
    ...machine.environment,
    ...(path !== "" && { LD_LIBRARY_PATH: path }),
    ...(manifest !== undefined && Object.fromEntries(MANIFEST_VARIABLES.map((variable) => [variable, manifest]))),
  };
}

/**
 * Creates a manifest for a driver's library.
 *
 * @param {string} library
 * @returns {string} JSON
 */
export function manifestFor(library) {
  return JSON.stringify({ file_format_version: "1.0.0", ICD: { library_path: library, api_version: "1.3.0" } });
}

/** The additional folders that the dynamic linker needs for a library. */
function foldersFor(machine, library) {
  const folder = library && locateLibrary(machine, library)?.folder;
  return folder ? [folder] : [];
}

/** The library in a manifest; a path relative to the manifest's folder becomes absolute. */
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
