import { debianSources, formatSource } from "./apt-sources.mjs";
import { baseCodename, distributionFamily } from "./os-release.mjs";

/** @typedef {import("./apt-sources.mjs").AptSource} AptSource */

/**
 * How to get an adapter. Backports come from `archive`, Debian's own archive among the machine's sources, and from
 * `backports` if the machine does not list that suite yet.
 *
 * @typedef {{ action: "install", from: "distribution" }
 *   | { action: "install", from: "backports", suite: string, archive: AptSource[], backports?: AptSource }} InstallPlan
 * @typedef {{ action: "instructions", lines: string[] }} InstructionsPlan
 */

/** Lavapipe, Mesa's software driver for Vulkan, and the Vulkan loader. */
export const PACKAGES = ["mesa-vulkan-drivers", "libvulkan1"];

/**
 * Dawn refuses the Mesa 22.3 of Debian 12 ("Vulkan shaderUniform*ArrayDynamicIndexing required"); Mesa 25.0 of its
 * backports works.
 */
const NEEDS_BACKPORTS = "bookworm";

/** Releases with a Mesa that is even older, and no newer one in their backports. */
const TOO_OLD = ["buster", "bullseye", "bionic", "focal", "jammy"];

const OTHER_LINUX = {
  fedora: "sudo dnf install mesa-vulkan-drivers vulkan-loader",
  rhel: "sudo dnf install mesa-vulkan-drivers vulkan-loader",
  arch: "sudo pacman -S vulkan-swrast vulkan-icd-loader",
  suse: "sudo zypper install libvulkan_lvp libvulkan1",
};

const OTHER_PLATFORMS = {
  darwin: [
    "Dawn uses Metal, which every Mac with a current macOS has.",
    "In a virtual machine, enable graphics acceleration.",
  ],
  win32: [
    "Dawn uses Direct3D 12, which Windows 10 and newer have.",
    "Update the graphics driver or Windows, and run this again.",
  ],
};

/**
 * Decides how to get an adapter.
 *
 * @param {object} machine
 * @param {string} machine.platform as `process.platform`
 * @param {Record<string, string>} machine.osRelease
 * @param {AptSource[]} machine.sources
 * @param {boolean} machine.mayInstall whether this process can become root without asking
 * @returns {InstallPlan | InstructionsPlan}
 */
export function choosePlan({ platform, osRelease, sources, mayInstall }) {
  if (platform !== "linux") {
    return instructions(OTHER_PLATFORMS[platform] ?? [`No WebGPU adapter is known for ${platform}.`]);
  }
  const family = distributionFamily(osRelease);
  if (!family.includes("debian") && !family.includes("ubuntu")) return instructions(otherLinuxLines(family));
  const plan = aptPlan(baseCodename(osRelease), sources);
  if (plan.action === "instructions" || mayInstall) return plan;
  return instructions([
    "Setup has no permission to install packages. Run these commands:",
    "",
    ...installCommands(plan),
  ]);
}

/**
 * The shell commands of an install plan.
 *
 * @param {InstallPlan} plan
 * @returns {string[]} lines to paste
 */
export function installCommands(plan) {
  if (plan.from === "distribution") {
    return ["sudo apt-get update", `sudo apt-get install --no-install-recommends ${PACKAGES.join(" ")}`];
  }
  const addSuite = plan.backports && [
    `sudo tee /etc/apt/sources.list.d/${plan.suite}.sources <<'END'`,
    ...formatSource(plan.backports).trimEnd().split("\n"),
    "END",
  ];
  return [
    ...(addSuite ?? []),
    "sudo apt-get update",
    `sudo apt-get install --no-install-recommends -t ${plan.suite} \\`,
    `  ${PACKAGES.join(" ")}`,
  ];
}

/** @returns {InstallPlan | InstructionsPlan} */
function aptPlan(codename, sources) {
  if (TOO_OLD.includes(codename)) {
    return instructions([
      `The Mesa of "${codename}" is too old for Dawn.`,
      "Use Debian 12 or Ubuntu 24.04 or newer, or a GPU with its vendor's driver.",
    ]);
  }
  return codename === NEEDS_BACKPORTS ? backportsPlan(sources) : { action: "install", from: "distribution" };
}

/** @returns {InstallPlan | InstructionsPlan} */
function backportsPlan(sources) {
  const suite = `${NEEDS_BACKPORTS}-backports`;
  const archive = debianSources(sources, NEEDS_BACKPORTS);
  const main = archive[0];
  if (main === undefined) {
    return instructions([
      `No apt source of this machine serves "${NEEDS_BACKPORTS} main".`,
      "Add your Debian mirror to /etc/apt/sources.list and run this again.",
    ]);
  }
  const plan = { action: "install", from: "backports", suite, archive };
  if (archive.some((source) => source.suites.includes(suite))) return plan;
  return { ...plan, backports: { ...main, suites: [suite], components: ["main"] } };
}

function otherLinuxLines(family) {
  const known = family.find((name) => name in OTHER_LINUX);
  if (known !== undefined) return ["Install Mesa's software driver and the Vulkan loader:", "", OTHER_LINUX[known]];
  return [
    "Install Mesa's lavapipe, a software driver for Vulkan, and the Vulkan",
    "loader from your distribution's packages.",
  ];
}

/** @returns {InstructionsPlan} */
function instructions(lines) {
  return { action: "instructions", lines };
}
