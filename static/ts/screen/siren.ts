/* The sound of an emergency: two tones in turn, beginning gently. */
const TONES = [660, 880];
const TONE_S = 0.6;
const LOUD = 0.25;
const RISE_S = 2;

export class Siren {
  private context: AudioContext | null = null;
  private wanted = false;
  private timer = 0;

  /** `blocked` is told whether the browser keeps it silent until somebody touches the screen. */
  constructor(private readonly blocked: (is: boolean) => void) {
    addEventListener("pointerdown", () => this.unlock());
    addEventListener("keydown", () => this.unlock());
  }

  set(wanted: boolean): void {
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    if (wanted) this.start();
    else this.stop();
  }

  private unlock(): void {
    if (this.wanted) void this.context?.resume().then(() => this.check());
  }

  private start(): void {
    try {
      const context = new AudioContext();
      this.context = context;
      context.addEventListener("statechange", () => this.check());
      play(context);
      void context.resume().catch(() => undefined);
      // A blocked context never says so.
      this.timer = window.setTimeout(() => this.check(), 300);
    } catch {
      // No sound device: the emergency is seen all the same.
      this.blocked(false);
    }
  }

  private stop(): void {
    clearTimeout(this.timer);
    void this.context?.close().catch(() => undefined);
    this.context = null;
    this.blocked(false);
  }

  private check(): void {
    if (this.context) this.blocked(this.wanted && this.context.state === "suspended");
  }
}

/** One oscillator whose pitch is a slow square wave, so that nothing has to be scheduled however long it lasts. */
function play(context: AudioContext): void {
  const [low = 0, high = 0] = TONES;
  const [tone, change, depth, volume] = [
    context.createOscillator(),
    context.createOscillator(),
    context.createGain(),
    context.createGain(),
  ];
  tone.type = "triangle";
  tone.frequency.value = (low + high) / 2;
  change.type = "square";
  change.frequency.value = 1 / (2 * TONE_S);
  depth.gain.value = (high - low) / 2;
  volume.gain.setValueAtTime(0, context.currentTime);
  volume.gain.linearRampToValueAtTime(LOUD, context.currentTime + RISE_S);
  change.connect(depth).connect(tone.frequency);
  tone.connect(volume).connect(context.destination);
  tone.start();
  change.start();
}
