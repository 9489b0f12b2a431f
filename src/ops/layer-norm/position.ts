import { ofRows, type PositionRules } from "../position-rule.ts";

export const positionRules: PositionRules = { rowMoments: ofRows };
