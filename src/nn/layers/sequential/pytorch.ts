import type { PytorchForm } from "../forms.ts";
import { shortest } from "../images-pytorch.ts";

export const pytorch: PytorchForm = ({ layers }, place) => shortest(place, (around) => place.chain(layers, around));
