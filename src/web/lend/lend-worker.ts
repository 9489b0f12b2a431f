/*
 * The worker of the page at `?lend`. It is not the one of the tabs, so that these need not load what it needs.
 */
import { expose } from "comlink";
import { LendService } from "./service.ts";

expose(new LendService());
