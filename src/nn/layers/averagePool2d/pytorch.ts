import type { PytorchForm } from "../forms.ts";
import { poolModules } from "../images-pytorch.ts";

export const pytorch: PytorchForm = (config, place) => poolModules("AvgPool2d", config, place, "0");
