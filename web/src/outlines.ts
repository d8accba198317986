/** Points and boxes of the faces, over the picture. */
import { at } from "./dom";
import type { Face } from "./pipeline";

export function drawOutlines(faces: readonly Face[], width: number, height: number): void {
  const canvas = at<HTMLCanvasElement>("outlines"), context = canvas.getContext("2d")!;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  canvas.hidden = false;
  context.clearRect(0, 0, width, height);
  const unit = Math.max(width, height) / 640;
  context.font = `600 ${14 * unit}px system-ui, sans-serif`;
  faces.forEach((face, place) => {
    const { left, top, width: across, height: down } = face.box, dot = Math.max(1, across / 180);
    context.fillStyle = "#7fd1ff";
    for (let point = 0; point < face.points.length; point += 3) {
      context.fillRect(face.points[point]! - dot / 2, face.points[point + 1]! - dot / 2, dot, dot);
    }
    context.strokeStyle = "#1668b3";
    context.lineWidth = 2 * unit;
    context.strokeRect(left, top, across, down);
    const title = `Face ${face.trackId ?? place}`, size = context.measureText(title).width;
    context.fillStyle = "#1668b3";
    context.fillRect(left - unit, top - 20 * unit, size + 10 * unit, 20 * unit);
    context.fillStyle = "#fff";
    context.fillText(title, left + 4 * unit, top - 5 * unit);
  });
}
