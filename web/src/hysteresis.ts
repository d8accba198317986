/** Decisions that do not flicker: on above the threshold, off below it, with a band between (`edgeau.temporal.hysteresis`). */
import type { ActionUnit } from "./predictor";
import { logOdds, probability } from "./probability";

const BAND = 1; // half its width, logits

/** Decides the action units of one track. */
export class TrackHysteresis {
  private readonly decisions = new Map<string, boolean>();

  next(label: string, unit: ActionUnit, threshold: number): ActionUnit {
    if (unit.probability === null) return unit;
    const [off, on] = around(threshold), before = this.decisions.get(label) ?? Boolean(unit.active);
    const active = unit.probability >= (before ? off : on);
    this.decisions.set(label, active);
    return { ...unit, active };
  }
}

function around(threshold: number): [number, number] {
  if (threshold <= 0 || threshold >= 1) return [threshold, threshold];
  const middle = logOdds(threshold);
  return [probability(middle - BAND), probability(middle + BAND)];
}
