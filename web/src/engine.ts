/** LiteRT in WebAssembly: one thread, kernels of XNNPACK. */
import { CompiledModel, Tensor, loadAndCompile, loadLiteRt, supportsFeature } from "@litertjs/core";
import { PageError } from "./errors";

// The smallest module that uses a vector: what lacks these cannot run the networks.
const SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

export const NO_SIMD = "This browser has no WebAssembly SIMD, which the networks need. Use a current Chrome, Edge, Firefox or Safari.";

/** Start the runtime once; returns what runs, for people. */
export async function startEngine(folder: string): Promise<string> {
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(SIMD)) throw new PageError(NO_SIMD);
  const relaxed = await supportsFeature("relaxedSimd");
  (self as unknown as { Module: object }).Module = {
    locateFile: (name: string) => `${folder}${name}`,
    // It tells on this channel, too, what it registers and creates.
    printErr: (line: string) => {
      if (!/^(INFO|WARNING|VERBOSE)\b|^INFO: /.test(line)) console.error(line);
    },
  };
  try {
    await loadLiteRt(folder);
  } catch (error) {
    throw new PageError(`The WebAssembly runtime could not be loaded (${reason(error)}). Copy the folder again, or load the page again.`);
  }
  return `LiteRT.js, WebAssembly ${relaxed ? "relaxed SIMD" : "SIMD"}, 1 thread`;
}

/** A network, or a part of one, from float32 to float32. */
export class Network {
  private constructor(
    private readonly model: CompiledModel,
    private readonly given: readonly number[],
    private readonly wanted: readonly number[],
    private readonly shapes: readonly number[][],
  ) {}

  /** The inputs are given and the outputs come in the order of their names here; without names, in the order of the file. */
  static async open(content: Uint8Array, file: string, names?: { inputs: readonly string[]; outputs: readonly string[] }): Promise<Network> {
    let model: CompiledModel;
    try {
      model = await loadAndCompile(content, { accelerator: "wasm", cpuOptions: { numThreads: 1 } });
    } catch (error) {
      throw new PageError(`${file} cannot be run by LiteRT.js (${reason(error)}). Export the folder again.`);
    }
    const inputs = model.getInputDetails(), outputs = model.getOutputDetails();
    const place = (ends: readonly { name: string }[], name: string): number => {
      const found = ends.findIndex((end) => end.name === name);
      if (found < 0) throw new PageError(`${file} is another network: it has no ${name}. Export the folder again.`);
      return found;
    };
    for (const end of [...inputs, ...outputs]) {
      if (end.dtype !== "float32") throw new PageError(`${file} takes or gives ${end.dtype}; this page runs networks from float32 to float32.`);
    }
    const given = names?.inputs.map((name) => place(inputs, name)) ?? inputs.map((_, index) => index);
    const wanted = names?.outputs.map((name) => place(outputs, name)) ?? outputs.map((_, index) => index);
    return new Network(model, given, wanted, inputs.map((end) => [...end.shape]));
  }

  /** Of each input, in the order of the file. */
  get inputShapes(): readonly number[][] {
    return this.shapes;
  }

  async run(...given: Float32Array[]): Promise<Float32Array[]> {
    const tensors: Tensor[] = [];
    given.forEach((values, index) => {
      const place = this.given[index]!;
      tensors[place] = new Tensor(values, this.shapes[place]!);
    });
    let answers: Tensor[] = [];
    try {
      answers = await this.model.run(tensors);
      return this.wanted.map((index) => answers[index]!.toTypedArray() as Float32Array);
    } finally {
      for (const tensor of [...tensors, ...answers]) tensor.delete();
    }
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
