/** Probabilities smoothed by the one euro filter, one state per track (`edgeau.temporal.smoothing`). */
import type { ActionUnit } from "./predictor";

const LONGEST_GAP_S = 1, MIN_CUTOFF = 1, BETA = 2, DERIVATIVE_CUTOFF = 1, TURN = 2 * Math.PI;

/** Largest lag of the smoothed value behind a slow change, seconds. */
export const SMOOTHING_LATENCY_S = 1 / (TURN * MIN_CUTOFF);

class OneEuro {
  private raw = 0;
  private smooth = 0;
  private speed = 0;
  private timeS: number | undefined;

  next(value: number, timeS: number): number {
    const before = this.timeS;
    this.timeS = timeS;
    if (before === undefined) {
      this.raw = this.smooth = value;
      return value;
    }
    const passed = timeS - before, speed = passed ? (value - this.raw) / passed : 0;
    let turns = TURN * DERIVATIVE_CUTOFF * passed;
    this.speed += (turns / (1 + turns)) * (speed - this.speed);
    turns = TURN * (MIN_CUTOFF + BETA * Math.abs(this.speed)) * passed;
    this.raw = value;
    this.smooth += (turns / (1 + turns)) * (value - this.smooth);
    return Math.min(Math.max(this.smooth, 0), 1);
  }
}

interface UnitFilter {
  readonly likely: OneEuro;
  readonly left: OneEuro;
  readonly right: OneEuro;
  readS: number;
}

/** Smooths the action units of one track. */
export class TrackSmoother {
  private readonly filters = new Map<string, UnitFilter>();

  next(label: string, unit: ActionUnit, threshold: number, timeS: number): ActionUnit {
    if (unit.probability === null) return unit;
    let filter = this.filters.get(label);
    if (!filter || !(timeS - filter.readS >= 0 && timeS - filter.readS <= LONGEST_GAP_S)) {
      filter = { likely: new OneEuro(), left: new OneEuro(), right: new OneEuro(), readS: timeS };
      this.filters.set(label, filter);
    }
    filter.readS = timeS;
    const likely = filter.likely.next(unit.probability, timeS);
    const sided = unit.left !== null && unit.right !== null;
    return {
      ...unit,
      probability: likely,
      active: likely >= threshold,
      left: sided ? filter.left.next(unit.left!, timeS) : null,
      right: sided ? filter.right.next(unit.right!, timeS) : null,
    };
  }
}
