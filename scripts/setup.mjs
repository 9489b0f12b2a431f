// `npm run setup`: makes sure that Dawn finds a WebGPU adapter on this machine. If there is no GPU with a driver, Mesa's
// software driver is installed, if that needs no password. Then it does the same for the browser that the demo is tested
// in, and for the NATS server that sweeps over several machines are tested with, without which only those tests fail.

import { describeAdapter, findAdapter } from "./setup/adapter.mjs";
import { chooseBrowserPlan, findBrowser } from "./setup/browser.mjs";
import { install, installPackages, readAptSources, readIfThere, rootPrefix } from "./setup/install.mjs";
import { chooseNatsPlan, findNatsServer } from "./setup/nats-server.mjs";
import { distributionFamily, parseOsRelease } from "./setup/os-release.mjs";
import { choosePlan, PACKAGES } from "./setup/plan.mjs";

process.exitCode = setUp() ? 0 : 1;
say("");
provideForTests({
  name: "Browser for the demo's tests",
  missing: "No browser for the demo's tests.",
  find: findBrowser,
  choose: chooseBrowserPlan,
});
provideForTests({
  name: "NATS server for the tests of sweeps",
  missing: "No NATS server for the tests of sweeps.",
  find: findNatsServer,
  choose: chooseNatsPlan,
});

/** @returns {boolean} whether there is an adapter now */
function setUp() {
  const found = findAdapter();
  if (found.adapter) {
    say(...describeAdapter(found.adapter), "Nothing to do.");
    return true;
  }
  if (found.unloadable !== undefined) {
    const needs = "It needs `npm ci` first and, on Linux, glibc 2.34 or newer.";
    return giveUp("The package webgpu cannot be loaded:", found.unloadable, "", needs);
  }
  say(`No WebGPU adapter: ${found.reason}.`);
  return provideAdapter();
}

function provideAdapter() {
  const linux = process.platform === "linux";
  const prefix = linux ? rootPrefix() : undefined;
  const plan = choosePlan({
    platform: process.platform,
    osRelease: linux ? parseOsRelease(readIfThere("/etc/os-release")) : {},
    sources: linux ? readAptSources() : [],
    mayInstall: prefix !== undefined,
  });
  if (plan.action === "instructions") return giveUp(...plan.lines);

  const origin = plan.from === "backports" ? plan.suite : "this distribution's packages";
  say(`Installing from ${origin}: ${PACKAGES.join(" ")}`, "(Mesa's software driver; takes about a minute)");
  const failure = install(plan, prefix);
  if (failure !== undefined) return giveUp("apt could not install them:", failure);

  const found = findAdapter();
  if (!found.adapter) return giveUp(`Installed, but still no adapter: ${found.reason ?? found.unloadable}.`);
  say(...describeAdapter(found.adapter), "Installed.");
  return true;
}

/** Installs a program that only tests need, if it is missing and apt can install it; otherwise says how to get it. */
function provideForTests({ name, missing, find, choose }) {
  const found = find();
  if (found !== undefined) return say(`${name}: ${found}`);
  const linux = process.platform === "linux";
  const prefix = linux ? rootPrefix() : undefined;
  const family = linux ? distributionFamily(parseOsRelease(readIfThere("/etc/os-release"))) : [];
  const plan = choose({ platform: process.platform, family, mayInstall: prefix !== undefined });
  say(missing);
  if (plan.action === "instructions") return say(...plan.lines);

  say(`Installing from this distribution's packages: ${plan.package}`);
  const failure = installPackages([plan.package], prefix);
  if (failure !== undefined) return say("apt could not install it:", failure);
  say(`${name}: ${find() ?? "installed, but still not found"}`, ...(plan.note === undefined ? [] : [plan.note]));
}

function giveUp(...lines) {
  say(...lines, "", "Training also works without an adapter, but more slowly:", "  npx wgrad train --device cpu");
  return false;
}

function say(...lines) {
  console.log(lines.join("\n"));
}
