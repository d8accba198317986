/**
 * Warps as OpenCV draws them: places in 1/32 pixel, weights as whole numbers of 1/32768. A canvas rounds otherwise, by up to
 * 16 levels, which moves the probabilities of an INT8 network by some hundredths.
 */
import { Picture, emptyPicture, roundHalfEven, shrink } from "./picture";

/** Row by row `a b x c d y`: maps (u, v) to (a u + b v + x, c u + d v + y). */
export type Affine = readonly [number, number, number, number, number, number];

export type Border = number | "replicate";

const SUBPIXELS = 5, STEPS = 1 << SUBPIXELS, SCALE = 1024;

/** Warp a frame to a crop: bilinear, after shrinking by area where the frame is much larger (`edgeau.faces.warp`). */
export function warpCrop(frame: Picture, affine: Affine, width: number, height: number, border: number): Picture {
  const [a, b, x, c, d, y] = affine;
  const factor = Math.max(1, Math.trunc(1 / Math.hypot(a, c)));
  const [left, top, right, bottom] = seen(affine, width, height, 2 * factor);
  const partWidth = Math.floor((Math.min(right, frame.width) - left) / factor);
  const partHeight = Math.floor((Math.min(bottom, frame.height) - top) / factor);
  if (partWidth <= 0 || partHeight <= 0) return filled(width, height, border);
  const part = shrink(frame, factor, partWidth, partHeight, left, top);
  const firstX = left + (factor - 1) / 2, firstY = top + (factor - 1) / 2;
  return warpAffine(
    part,
    [a * factor, b * factor, a * firstX + b * firstY + x, c * factor, d * factor, c * firstX + d * firstY + y],
    width, height, border,
  );
}

function filled(width: number, height: number, value: number): Picture {
  const picture = emptyPicture(width, height);
  picture.data.fill(value);
  return picture;
}

/** The part of a frame that a crop shows, with a margin: left and top, 0 or more, and right and bottom, outside. */
function seen(affine: Affine, width: number, height: number, margin: number): [number, number, number, number] {
  const [a, b, x, c, d, y] = affine;
  const determinant = a * d - b * c;
  const across: number[] = [], down: number[] = [];
  for (const u of [0, width]) {
    for (const v of [0, height]) {
      across.push((d * (u - x) - b * (v - y)) / determinant);
      down.push((a * (v - y) - c * (u - x)) / determinant);
    }
  }
  return [
    Math.max(Math.floor(Math.min(...across)) - margin, 0),
    Math.max(Math.floor(Math.min(...down)) - margin, 0),
    Math.ceil(Math.max(...across)) + margin,
    Math.ceil(Math.max(...down)) + margin,
  ];
}

/** `cv2.warpAffine` with `INTER_LINEAR` and a forward matrix. */
export function warpAffine(picture: Picture, affine: Affine, width: number, height: number, border: Border): Picture {
  const [a, b, x, c, d, y] = affine;
  const determinant = a * d - b * c, inverse = determinant !== 0 ? 1 / determinant : 0;
  const m0 = d * inverse, m1 = b * -inverse, m3 = c * -inverse, m4 = a * inverse;
  const shiftX = -m0 * x - m1 * y, shiftY = -m3 * x - m4 * y;
  const alongX = new Int32Array(width), alongY = new Int32Array(width);
  for (let u = 0; u < width; u++) {
    alongX[u] = roundHalfEven(m0 * u * SCALE);
    alongY[u] = roundHalfEven(m3 * u * SCALE);
  }
  const out = emptyPicture(width, height);
  for (let v = 0; v < height; v++) {
    const rowX = roundHalfEven((m1 * v + shiftX) * SCALE) + SCALE / STEPS / 2;
    const rowY = roundHalfEven((m4 * v + shiftY) * SCALE) + SCALE / STEPS / 2;
    for (let u = 0; u < width; u++) {
      sample(picture, (rowX + alongX[u]!) >> SUBPIXELS, (rowY + alongY[u]!) >> SUBPIXELS, border, out.data, 4 * (v * width + u));
    }
  }
  return out;
}

/** `cv2.warpPerspective` with `INTER_LINEAR` to a square; `matrix` maps places of the crop to places of the picture. */
export function warpPerspective(picture: Picture, matrix: readonly number[], size: number, border: Border): Picture {
  const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = matrix as [
    number, number, number, number, number, number, number, number, number,
  ];
  const out = emptyPicture(size, size);
  for (let v = 0; v < size; v++) {
    for (let u = 0; u < size; u++) {
      const depth = m6 * u + m7 * v + m8, w = depth !== 0 ? STEPS / depth : 0;
      sample(
        picture, roundHalfEven((m0 * u + m1 * v + m2) * w), roundHalfEven((m3 * u + m4 * v + m5) * w),
        border, out.data, 4 * (v * size + u),
      );
    }
  }
  return out;
}

/** One bilinear pixel; the place is given in 1/32 pixel. */
function sample(
  picture: Picture, x32: number, y32: number, border: Border, out: Uint8Array | Uint8ClampedArray, to: number,
): void {
  const { data, width, height } = picture;
  const x = x32 >> SUBPIXELS, y = y32 >> SUBPIXELS, fx = x32 & (STEPS - 1), fy = y32 & (STEPS - 1);
  const w00 = (STEPS - fx) * (STEPS - fy) * STEPS, w01 = fx * (STEPS - fy) * STEPS;
  const w10 = (STEPS - fx) * fy * STEPS, w11 = fx * fy * STEPS;
  if (x >= 0 && y >= 0 && x < width - 1 && y < height - 1) {
    const a = 4 * (y * width + x), b = a + 4 * width;
    for (let k = 0; k < 3; k++) {
      out[to + k] = (data[a + k]! * w00 + data[a + 4 + k]! * w01 + data[b + k]! * w10 + data[b + 4 + k]! * w11 + (1 << 14)) >> 15;
    }
    return;
  }
  for (let k = 0; k < 3; k++) {
    const sum = at(picture, x, y, k, border) * w00 + at(picture, x + 1, y, k, border) * w01
      + at(picture, x, y + 1, k, border) * w10 + at(picture, x + 1, y + 1, k, border) * w11;
    out[to + k] = (sum + (1 << 14)) >> 15;
  }
}

function at(picture: Picture, x: number, y: number, channel: number, border: Border): number {
  const { width, height } = picture;
  if (x < 0 || y < 0 || x >= width || y >= height) {
    if (border !== "replicate") return border;
    x = Math.min(Math.max(x, 0), width - 1);
    y = Math.min(Math.max(y, 0), height - 1);
  }
  return picture.data[4 * (y * width + x) + channel]!;
}
