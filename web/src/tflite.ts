/** A part of a `.tflite` network as a network of its own, between operators that LiteRT does not have (`edgeau.faces.landmarks.litert.network`). */
import { PageError } from "./errors";

// Fields by their number in TensorFlow Lite's schema: of Model, of SubGraph, of Operator, of Tensor.
const SUBGRAPHS = 2, TENSORS = 0, GRAPH_INPUTS = 1, GRAPH_OUTPUTS = 2, OPERATORS = 3;
const INPUTS = 1, OUTPUTS = 2, SHAPE = 0, NAME = 3, SHAPE_SIGNATURE = 7;

/** Cut a network to what computes some tensors from others, all named; a batch that the file leaves open becomes one. */
export function partOf(model: Uint8Array, inputs: readonly string[], outputs: readonly string[], file: string): Uint8Array {
  try {
    return cutOut(model, inputs, outputs, file);
  } catch (error) {
    if (error instanceof RangeError) throw new PageError(`${file} is damaged: it ends too early. Copy the folder again.`);
    throw error;
  }
}

function cutOut(model: Uint8Array, inputs: readonly string[], outputs: readonly string[], file: string): Uint8Array {
  const start = (model.length + 3) & ~3, added = 4 * (inputs.length + outputs.length + 2);
  const content = new Uint8Array(start + added);
  content.set(model);
  const view = new DataView(content.buffer);
  if (new TextDecoder().decode(content.subarray(4, 8)) !== "TFL3") throw new PageError(`${file} is not a .tflite file. Export the folder again.`);
  const graph = tables(view, follow(view, 0), SUBGRAPHS)[0];
  if (graph === undefined) throw new PageError(`${file} holds no network. Export the folder again.`);
  const numbers = new Map<string, number>();
  tables(view, graph, TENSORS).forEach((tensor, number) => {
    const [at, size] = vector(view, tensor, NAME);
    numbers.set(new TextDecoder().decode(content.subarray(at, at + size)), number);
    for (const field of [SHAPE, SHAPE_SIGNATURE]) closeShape(view, tensor, field);
  });
  const missing = [...inputs, ...outputs].filter((name) => !numbers.has(name));
  if (missing.length) throw new PageError(`${file} is another network: it has no ${missing.join(", ")}. Export the folder again.`);
  const given = inputs.map((name) => numbers.get(name)!), wanted = outputs.map((name) => numbers.get(name)!);
  const [first, count] = vector(view, graph, OPERATORS);
  const operators = Array.from({ length: count }, (_, entry) => follow(view, first + 4 * entry));
  const kept = needed(view, operators, new Set(given), new Set(wanted));
  view.setUint32(first - 4, kept.length, true);
  kept.forEach((operator, entry) => view.setUint32(first + 4 * entry, operator - (first + 4 * entry), true));
  setIntegers(view, graph, GRAPH_INPUTS, given, start);
  setIntegers(view, graph, GRAPH_OUTPUTS, wanted, start + 4 * (given.length + 1));
  return content;
}

function closeShape(view: DataView, tensor: number, field: number): void {
  const [at, count] = vector(view, tensor, field);
  for (let axis = 0; axis < count; axis++) if (view.getInt32(at + 4 * axis, true) === -1) view.setInt32(at + 4 * axis, 1, true);
}

function setIntegers(view: DataView, table: number, number: number, values: readonly number[], at: number): void {
  const place = field(view, table, number);
  if (place === undefined) throw new RangeError("a graph has inputs and outputs");
  view.setUint32(place, at - place, true);
  view.setUint32(at, values.length, true);
  values.forEach((value, entry) => view.setInt32(at + 4 * (entry + 1), value, true));
}

function needed(view: DataView, operators: readonly number[], given: Set<number>, wanted: Set<number>): number[] {
  const kept: number[] = [], missing = new Set([...wanted].filter((tensor) => !given.has(tensor)));
  for (const operator of [...operators].reverse()) {
    if (!integers(view, operator, OUTPUTS).some((tensor) => missing.has(tensor))) continue;
    kept.push(operator);
    for (const tensor of integers(view, operator, INPUTS)) if (!given.has(tensor)) missing.add(tensor);
  }
  return kept.reverse();
}

function integers(view: DataView, table: number, number: number): number[] {
  const [at, count] = vector(view, table, number);
  return Array.from({ length: count }, (_, entry) => view.getInt32(at + 4 * entry, true));
}

function follow(view: DataView, place: number): number {
  return place + view.getUint32(place, true);
}

function field(view: DataView, table: number, number: number): number | undefined {
  const start = table - view.getInt32(table, true), slot = 4 + 2 * number;
  if (slot >= view.getUint16(start, true)) return undefined;
  const offset = view.getUint16(start + slot, true);
  return offset ? table + offset : undefined;
}

function vector(view: DataView, table: number, number: number): [number, number] {
  const place = field(view, table, number);
  if (place === undefined) return [0, 0];
  const start = follow(view, place);
  return [start + 4, view.getUint32(start, true)];
}

function tables(view: DataView, table: number, number: number): number[] {
  const [start, count] = vector(view, table, number);
  return Array.from({ length: count }, (_, entry) => follow(view, start + 4 * entry));
}
