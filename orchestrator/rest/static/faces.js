// Which faces a sentence shows, and where: an outline on the source video says which one is meant.

export class Faces {
  // `visual` and `clip` are parts of report.json; `video` plays the source, and `outline` lies over it.
  constructor({ visual, clip }, video, outline) {
    Object.assign(this, { tracks: visual?.tracks ?? [], video, outline });
    const turned = (clip?.rotation_deg ?? 0) % 180 !== 0;
    this.width = turned ? clip.height : clip?.width;
    this.height = turned ? clip.width : clip?.height;
    this.hide();
  }

  in({ start_ms, end_ms }) {
    return this.tracks.filter(({ first_ms, last_ms }) => first_ms < end_ms && start_ms <= last_ms);
  }

  // Show where a face is at a time; a video that is letterboxed has bars beside its picture.
  show(id, time_s) {
    const track = this.tracks.find((one) => one.id === id);
    this.outline.hidden = track === undefined;
    if (track === undefined) return;
    this.video.pause();
    this.video.currentTime = Math.min(Math.max(time_s, track.first_ms / 1000), track.last_ms / 1000);
    const { clientWidth, clientHeight } = this.video;
    const scale = Math.min(clientWidth / this.width, clientHeight / this.height);
    const left = (clientWidth - this.width * scale) / 2;
    const top = (clientHeight - this.height * scale) / 2;
    const [x1, y1, x2, y2] = track.mean_box;
    Object.assign(this.outline.style, {
      left: `${left + x1 * scale}px`,
      top: `${top + y1 * scale}px`,
      width: `${(x2 - x1) * scale}px`,
      height: `${(y2 - y1) * scale}px`,
    });
  }

  hide() {
    this.outline.hidden = true;
  }
}
