/** Pictures: rows of pixels of four bytes, red first. The fourth byte says nothing. */

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** `4 * width * height` values, 0..255. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

export function emptyPicture(width: number, height: number): Picture {
  return { width, height, data: new Uint8ClampedArray(4 * width * height) };
}

// A double of this size has no place for halves: a sum with it is rounded as the processor rounds.
const WHOLE = 1.5 * 2 ** 52;

/** Half of a picture's rounding rules are those of `rint`: halves go to the even neighbour. For values below 2^51. */
export function roundHalfEven(value: number): number {
  return value + WHOLE - WHOLE;
}

/** The largest power of two that is not above a scale; 1 for scales below 2. */
export function powerOfTwo(scale: number): number {
  let factor = 1;
  while (2 * factor <= scale) factor *= 2;
  return factor;
}

/** A part of a picture at a power of two of its size: halved by area, as often as that takes (`edgeau.faces.halving`). */
export function halved(
  picture: Picture, factor: number, width: number, height: number, left = 0, top = 0,
): Picture {
  let small = shrink(picture, Math.min(factor, 2), width * Math.max(factor / 2, 1), height * Math.max(factor / 2, 1), left, top);
  for (let rest = factor / 2; rest > 1; rest /= 2) small = shrink(small, 2, small.width / 2, small.height / 2);
  return small;
}

/**
 * Shrink a part of a picture by a whole number, each pixel the mean of a square, as OpenCV's `INTER_AREA` does.
 * Four pixels are summed as whole numbers and halves go up; of more, the sum times a float32 is rounded to even.
 */
export function shrink(
  picture: Picture, factor: number, width: number, height: number, left = 0, top = 0,
): Picture {
  const small = emptyPicture(width, height);
  const { data } = picture, out = small.data, stride = 4 * picture.width;
  if (factor === 1) {
    for (let y = 0; y < height; y++) {
      const from = (top + y) * stride + 4 * left;
      (out as Uint8ClampedArray).set(data.subarray(from, from + 4 * width), 4 * width * y);
    }
    return small;
  }
  const scale = Math.fround(1 / (factor * factor));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let red = 0, green = 0, blue = 0;
      for (let v = 0; v < factor; v++) {
        let at = (top + y * factor + v) * stride + 4 * (left + x * factor);
        for (let u = 0; u < factor; u++, at += 4) {
          red += data[at]!;
          green += data[at + 1]!;
          blue += data[at + 2]!;
        }
      }
      const to = 4 * (y * width + x);
      out[to] = mean(red, factor, scale);
      out[to + 1] = mean(green, factor, scale);
      out[to + 2] = mean(blue, factor, scale);
    }
  }
  return small;
}

function mean(sum: number, factor: number, scale: number): number {
  return factor === 2 ? (sum + 2) >> 2 : roundHalfEven(Math.fround(sum * scale));
}

/** Copy a part of a picture, black where it reaches beyond the right or lower edge. */
export function cut(picture: Picture, left: number, top: number, size: number): Picture {
  const part = emptyPicture(size, size);
  const width = Math.min(size, picture.width - left), height = Math.min(size, picture.height - top);
  for (let y = 0; y < height; y++) {
    const from = 4 * ((top + y) * picture.width + left);
    (part.data as Uint8ClampedArray).set(picture.data.subarray(from, from + 4 * width), 4 * y * size);
  }
  return part;
}

/** Turn a square picture anticlockwise by quarters. */
export function turned(picture: Picture, quarterTurns: number): Picture {
  let from = picture;
  for (let turn = 0; turn < ((quarterTurns % 4) + 4) % 4; turn++) {
    const size = from.width, to = emptyPicture(size, size);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const source = 4 * (x * size + (size - 1 - y)), target = 4 * (y * size + x);
        for (let k = 0; k < 3; k++) to.data[target + k] = from.data[source + k]!;
      }
    }
    from = to;
  }
  return from;
}
