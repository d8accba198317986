/** Pitch, yaw and roll of a head, degrees (`edgeau.faces.head_pose`). */
import facts from "./facts.json";
import { Points } from "./points";
import { Matrix3, nearestRotation } from "./rotation";

export interface HeadPose {
  readonly pitch: number;
  readonly yaw: number;
  readonly roll: number;
}

const INDICES = facts.frontalFace.map((row) => row[0]!);
const SHAPE = centred(facts.frontalFace.map((row) => row.slice(1)));

function centred(rows: number[][]): number[][] {
  const mean = [0, 1, 2].map((axis) => rows.reduce((sum, row) => sum + row[axis]!, 0) / rows.length);
  return rows.map((row) => row.map((value, axis) => value - mean[axis]!));
}

export function headPose(points: Points): HeadPose {
  const product = new Array<number>(9).fill(0);
  INDICES.forEach((index, at) => {
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) product[3 * i + j]! += points[3 * index + i]! * SHAPE[at]![j]!;
  });
  const [, rollSine, , , rollCosine, , yawSine, pitchSine, yawCosine] = nearestRotation(product as unknown as Matrix3);
  const degrees = 180 / Math.PI;
  return {
    pitch: -Math.asin(Math.min(1, Math.max(-1, pitchSine))) * degrees,
    yaw: Math.atan2(yawSine, yawCosine) * degrees,
    roll: -Math.atan2(rollSine, rollCosine) * degrees,
  };
}
