/** The worker, as the page talks to it. */
import { About, FromWorker, ToWorker } from "./messages";
import { PageError } from "./errors";
import type { Face } from "./pipeline";

export interface Answer {
  readonly faces: readonly Face[];
  readonly tookMs: number;
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export class Analyst {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url));
  private readonly answers = new Map<number, Waiting<Answer>>();
  private opening: Waiting<About> | undefined;
  private count = 0;

  constructor(private readonly said: (what: string) => void) {
    this.worker.onmessage = (event: MessageEvent<FromWorker>) => this.hear(event.data);
    this.worker.onerror = (event) => this.fail(new Error(event.message || "the worker could not be started"));
  }

  open(folder: string): Promise<About> {
    return new Promise((resolve, reject) => {
      this.opening = { resolve, reject };
      this.send({ kind: "open", folder });
    });
  }

  reset(): void {
    this.send({ kind: "reset" });
  }

  /** The faces of a picture by itself, or with a time of the next frame of a stream. The picture is given away. */
  look(picture: ImageBitmap, timeS: number | null): Promise<Answer> {
    const number = this.count++;
    return new Promise((resolve, reject) => {
      this.answers.set(number, { resolve, reject });
      this.send({ kind: "frame", number, picture, timeS }, [picture]);
    });
  }

  private send(message: ToWorker, given: Transferable[] = []): void {
    this.worker.postMessage(message, given);
  }

  private hear(message: FromWorker): void {
    switch (message.kind) {
      case "progress":
        return this.said(message.said);
      case "ready":
        return this.opening?.resolve(message.about);
      case "faces":
        this.answers.get(message.number)?.resolve(message);
        this.answers.delete(message.number);
        return;
      case "logits":
        return; // the page asks for none
      case "failed":
        return this.fail(message.user ? new PageError(message.said) : new Error(message.said));
    }
  }

  private fail(error: Error): void {
    this.opening?.reject(error);
    for (const waiting of this.answers.values()) waiting.reject(error);
    this.answers.clear();
  }
}
