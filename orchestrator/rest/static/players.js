// Source and dub as one player: they start, stop and seek together, and one of them is heard.

const MAX_DRIFT_S = 0.08; // about two frames
const CORRECT_EVERY_MS = 250;

export class Players {
  constructor(source, result, button) {
    this.source = source;
    this.result = result;
    this.button = button;
    this.onTime = () => {};
    this.timer = null;
    this.until_s = Infinity; // of the one video that is heard alone
    button.addEventListener("click", () => (this.playing ? this.pause() : this.play()));
    for (const video of [source, result]) {
      video.addEventListener("ended", () => this.pause());
      video.addEventListener("timeupdate", () => {
        if (!this.playing && video.currentTime >= this.until_s) this.pause();
        if (!video.paused || !this.playing) this.onTime(video.currentTime);
      });
    }
    this.listenTo("result");
  }

  get playing() {
    return this.timer !== null;
  }

  load(source, result) {
    this.clear();
    fill(this.source, source);
    fill(this.result, result);
  }

  clear() {
    this.pause();
    this.onTime = () => {};
    for (const video of [this.source, this.result]) {
      video.removeAttribute("src");
      video.replaceChildren();
      video.load();
    }
  }

  listenTo(which) {
    this.source.muted = which !== "source";
    this.result.muted = which !== "result";
  }

  async play() {
    if (this.result.ended || this.source.ended) this.result.currentTime = 0;
    this.source.currentTime = this.result.currentTime;
    this.timer = setInterval(() => this.correct(), CORRECT_EVERY_MS);
    this.show();
    try {
      await Promise.all([this.source.play(), this.result.play()]);
    } catch {
      this.pause(); // the browser cannot play one of them, or was told to stop meanwhile
    }
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.until_s = Infinity;
    this.source.pause();
    this.result.pause();
    this.show();
  }

  playFrom(time_s) {
    this.pause();
    this.result.currentTime = time_s;
    this.play();
  }

  // One of the two, from here to there, and that is heard.
  hear(which, from_s, until_s) {
    this.pause();
    const video = this[which];
    video.muted = false;
    video.currentTime = from_s;
    this.until_s = until_s;
    video.play().catch(() => this.pause());
  }

  // The result leads; the source follows it. A pause by one video's own controls pauses both.
  correct() {
    if (this.result.paused || this.source.paused) {
      this.pause();
    } else if (Math.abs(this.source.currentTime - this.result.currentTime) > MAX_DRIFT_S) {
      this.source.currentTime = this.result.currentTime;
    }
  }

  show() {
    this.button.textContent = this.playing ? "Pause both" : "Play both";
    this.button.setAttribute("aria-pressed", String(this.playing));
  }
}

function fill(video, { address, tracks }) {
  video.src = address;
  tracks.forEach(({ address: source, language, label }, index) => {
    const track = document.createElement("track");
    Object.assign(track, { kind: "subtitles", src: source, srclang: language, label, default: index === 0 });
    video.append(track);
  });
}
