/** When a film shows frames: the newest one is asked for, and none is given twice. */
export class FilmClock {
  private shownMs = -Infinity;
  private takenMs = -Infinity;
  private waiting: ((shownMs: number) => void) | undefined;
  private running = true;

  constructor(private readonly film: HTMLVideoElement) {
    this.listen();
  }

  /** When the newest frame that was not given yet was shown, milliseconds; waits for it. */
  newest(): Promise<number> {
    if (this.shownMs > this.takenMs) return Promise.resolve((this.takenMs = this.shownMs));
    return new Promise((resolve) => (this.waiting = resolve));
  }

  stop(): void {
    this.running = false;
  }

  private listen(): void {
    const heard = (nowMs: number): void => {
      if (!this.running) return;
      this.shownMs = nowMs;
      if (this.waiting) {
        this.takenMs = nowMs;
        this.waiting(nowMs);
        this.waiting = undefined;
      }
      this.listen();
    };
    if ("requestVideoFrameCallback" in this.film) this.film.requestVideoFrameCallback(heard);
    else requestAnimationFrame(heard);
  }
}
