/** Arrays of an `.npz` file: a ZIP archive of `.npy` files, stored or deflated. */
import { PageError } from "./errors";

export interface NpyArray {
  readonly shape: readonly number[];
  /** Numbers; bool as 0 and 1. */
  readonly values: Float32Array | Uint8Array;
  /** Of arrays of text. */
  readonly texts: readonly string[];
}

export async function readNpz(content: Uint8Array, file: string): Promise<Map<string, NpyArray>> {
  try {
    const arrays = new Map<string, NpyArray>();
    for (const [name, packed, method] of entries(content)) {
      arrays.set(name.replace(/\.npy$/, ""), parseNpy(method === 0 ? packed : await inflated(packed)));
    }
    return arrays;
  } catch (error) {
    throw new PageError(`${file} is damaged (${error instanceof Error ? error.message : String(error)}). Copy the folder again.`);
  }
}

/** Name, packed content and method of each file, by the archive's directory at its end. */
function entries(content: Uint8Array): [string, Uint8Array, number][] {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let end = content.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error("it is not a ZIP archive");
  const found: [string, Uint8Array, number][] = [], count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  for (let entry = 0; entry < count; entry++) {
    const method = view.getUint16(at + 10, true), packed = view.getUint32(at + 20, true);
    const nameLength = view.getUint16(at + 28, true), rest = view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    const place = view.getUint32(at + 42, true);
    const start = place + 30 + view.getUint16(place + 26, true) + view.getUint16(place + 28, true);
    const name = new TextDecoder().decode(content.subarray(at + 46, at + 46 + nameLength));
    found.push([name, content.subarray(start, start + packed), method]);
    at += 46 + nameLength + rest;
  }
  return found;
}

async function inflated(packed: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function parseNpy(content: Uint8Array): NpyArray {
  if (content[0] !== 0x93) throw new Error("it holds something else than arrays");
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const wide = content[6]! > 1, start = wide ? 12 : 10, size = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(content.subarray(start, start + size));
  const kind = /'descr': '([^']+)'/.exec(header)?.[1], shapeText = /'shape': \(([^)]*)\)/.exec(header)?.[1];
  if (kind === undefined || shapeText === undefined || /'fortran_order': True/.test(header)) throw new Error("an array's header is unknown");
  const shape = shapeText.split(",").filter((part) => part.trim()).map(Number);
  const count = shape.reduce((product, length) => product * length, 1);
  const body = content.slice(start + size), data = new DataView(body.buffer);
  if (kind.startsWith("<U")) {
    const length = Number(kind.slice(2));
    const texts = Array.from({ length: count }, (_, at) => {
      let text = "";
      for (let k = 0; k < length; k++) text += String.fromCodePoint(data.getUint32(4 * (at * length + k), true));
      return text.replace(/\0+$/, "");
    });
    return { shape, values: new Uint8Array(), texts };
  }
  const read = READERS[kind];
  if (!read) throw new Error(`an array is of type ${kind}`);
  return { shape, values: read(data, count), texts: [] };
}

const READERS: Record<string, (data: DataView, count: number) => Float32Array | Uint8Array> = {
  "|u1": (data, count) => new Uint8Array(data.buffer, 0, count),
  "|b1": (data, count) => new Uint8Array(data.buffer, 0, count),
  "<f4": (data, count) => new Float32Array(data.buffer, 0, count),
  "<f2": (data, count) => Float32Array.from({ length: count }, (_, at) => half(data.getUint16(2 * at, true))),
  "<f8": (data, count) => Float32Array.from({ length: count }, (_, at) => data.getFloat64(8 * at, true)),
  "<i2": (data, count) => Float32Array.from({ length: count }, (_, at) => data.getInt16(2 * at, true)),
  "<i4": (data, count) => Float32Array.from({ length: count }, (_, at) => data.getInt32(4 * at, true)),
  "<i8": (data, count) => Float32Array.from({ length: count }, (_, at) => Number(data.getBigInt64(8 * at, true))),
};

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}
