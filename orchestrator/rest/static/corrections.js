// Correct sentences of a finished dub, listen to them, and render it again. Texts are shown as text, never as markup.

import { $, element, showProblem } from "/static/dom.js";
import { ask } from "/static/service.js";

const FINAL = ["succeeded", "failed", "cancelled"];
const UNCORRECTED = { version: 0, text: null, translation: null, speaker: null, skip: false, rendered: true };
const AUTOMATIC = "";
const NOBODY = 0;

export class Corrections {
  constructor({ base, dub, segments, rows, players, faces, reload }) {
    Object.assign(this, { base, dub, segments, rows, players, faces, reload });
    this.found = new Map();
    this.editor = null;
    this.events = null;
    this.edits = segments.map((segment, index) => this.addEdit(segment, rows[index]));
    $("render").onclick = () => this.render();
    $("cancel-render").onclick = () => ask(`${base}/render`, "DELETE").catch(showProblem);
  }

  show({ corrections, render }) {
    this.found = new Map(corrections.map((correction) => [correction.sequence, correction]));
    this.segments.forEach((segment, index) => this.mark(segment, this.rows[index]));
    this.showBar();
    if (render !== null && !FINAL.includes(render.state)) this.follow(render);
    if (render?.state === "failed" && this.pending() > 0) this.failed(render.error);
  }

  close() {
    this.stopListening();
    this.faces.hide();
    $("corrections").hidden = true;
  }

  of(segment) {
    return this.found.get(segment.sequence) ?? UNCORRECTED;
  }

  pending() {
    return [...this.found.values()].filter(({ rendered }) => !rendered).length;
  }

  addEdit(segment, row) {
    const edit = element("button", "Edit", {
      type: "button", class: "seek", "aria-expanded": "false", "aria-label": `Edit sentence ${segment.sequence + 1}`,
    });
    edit.addEventListener("click", () => this.open(segment, row, edit));
    row.lastElementChild.append(edit);
    return edit;
  }

  mark(segment, row) {
    const correction = this.of(segment);
    row.classList.toggle("changed", !correction.rendered);
    row.querySelector(".pending")?.remove();
    if (correction.rendered) return;
    row.children[2].append(element("span", `not rendered yet: ${wanted(correction)}`, { class: "note pending" }));
  }

  showBar() {
    const count = this.pending();
    const listening = this.events !== null;
    $("corrections").hidden = count === 0 && !listening;
    const changed = `${count} ${count === 1 ? "sentence is" : "sentences are"} changed`;
    $("changes").textContent = listening ? "Rendering" : changed;
    $("render").hidden = listening;
    $("rendering").hidden = $("cancel-render").hidden = !listening;
  }

  open(segment, row, edit) {
    const again = this.editor?.segment === segment;
    this.shut();
    if (again) return;
    const form = this.form(segment);
    const cell = element("td", "", { colspan: "4" });
    cell.append(form);
    const editor = element("tr", "", { class: "editor" });
    editor.append(cell);
    row.after(editor);
    edit.setAttribute("aria-expanded", "true");
    this.editor = { segment, row: editor, edit };
    form.elements.translation.focus();
  }

  shut() {
    if (this.editor === null) return;
    this.faces.hide();
    this.editor.row.remove();
    this.editor.edit.setAttribute("aria-expanded", "false");
    this.editor.edit.focus();
    this.editor = null;
  }

  form(segment) {
    const { text, translation, speaker, skip } = this.of(segment);
    const form = element("form");
    const shown = { text: text ?? segment.source_text, translation: translation ?? segment.text, speaker, skip };
    const keep = element("label", " Keep the sentence's own sound and picture");
    keep.prepend(element("input", "", { type: "checkbox", name: "skip" }));
    const buttons = element("div", "", { class: "buttons" });
    buttons.append(
      element("button", "Save", { type: "submit", class: "primary" }),
      button("Cancel", () => this.shut()),
      button("Hear source", () => this.hear("source", segment.start_ms, segment.end_ms)),
      button("Hear dub", () => this.hear("result", ...dubSpan(segment))),
    );
    form.append(
      area("Heard", "text", shown.text, this.dub.source_language),
      area("Said", "translation", shown.translation, this.dub.target_language),
      ...this.whoSpeaks(segment, speaker),
      keep,
      buttons,
    );
    form.elements.skip.checked = skip;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(segment, changesOf(form, shown));
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.shut();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    return form;
  }

  // Nothing where no face is in sight.
  whoSpeaks(segment, speaker) {
    const ids = this.faces.in(segment).map(({ id }) => id);
    if (ids.length === 0) return [];
    const automatic = segment.face && speaker === null ? `found by itself (face ${segment.face})` : "found by itself";
    const choices = [[AUTOMATIC, automatic], ...ids.map((id) => [id, `face ${id}`]), [NOBODY, "nobody's"]];
    const select = element("select", "", { name: "speaker" });
    select.append(...choices.map(([value, label]) => element("option", label, { value })));
    select.value = speaker ?? AUTOMATIC;
    select.addEventListener("change", () => {
      const id = select.value === AUTOMATIC ? segment.face : Number(select.value);
      this.faces.show(id, segment.start_ms / 1000);
    });
    const label = element("label", "Whose lips move ");
    label.append(select);
    return [label];
  }

  hear(which, start_ms, end_ms) {
    this.players.hear(which, start_ms / 1000, end_ms / 1000);
  }

  async save(segment, changes) {
    showProblem(null);
    if (Object.keys(changes).length > 0) {
      try {
        await ask(`${this.base}/segments/${segment.sequence}`, "PATCH", {
          body: changes,
          headers: { "Content-Type": "application/merge-patch+json", "If-Match": `"${this.of(segment).version}"` },
        });
      } catch (problem) {
        showProblem(problem);
        if (problem.status !== 412) return; // somebody else was faster: show what is there now
      }
      this.show(await ask(`${this.base}/corrections`));
    }
    this.shut();
  }

  async render() {
    showProblem(null);
    this.shut();
    try {
      const render = await ask(`${this.base}/render`, "POST");
      if (FINAL.includes(render.state)) this.reload();
      else this.follow(render);
    } catch (problem) {
      showProblem(problem);
    }
  }

  follow({ id, events }) {
    this.stopListening();
    const { pathname, search } = new URL(events);
    this.events = new EventSource(pathname + search);
    $("rendering").value = 0;
    this.showBar();
    this.events.addEventListener("progress", (event) => {
      const { stage, progress } = JSON.parse(event.data);
      if (stage === "lips") $("rendering").value = progress;
    });
    this.events.addEventListener("render", (event) => {
      const render = JSON.parse(event.data);
      if (render.id !== id || !FINAL.includes(render.state)) return;
      this.stopListening();
      this.showBar();
      if (render.state === "failed") this.failed(render.error);
      if (render.state === "succeeded") this.reload();
    });
    this.events.addEventListener("error", () => {
      if (this.events?.readyState === EventSource.CLOSED) this.reload();
    });
  }

  failed({ detail }) {
    showProblem({ title: "The corrections could not be rendered; the dub is as it was", detail });
  }

  stopListening() {
    this.events?.close();
    this.events = null;
  }
}

function button(label, act) {
  const made = element("button", label, { type: "button" });
  made.addEventListener("click", act);
  return made;
}

function area(label, name, value, language) {
  const made = element("label", label);
  const field = element("textarea", "", { name, rows: "2", maxlength: "1000", lang: language });
  field.value = value;
  made.append(field);
  return made;
}

function wanted({ text, translation, speaker, skip }) {
  if (skip) return "its own sound is kept";
  const said = translation ?? (text === null ? "" : `translated anew: ${text}`);
  const lips = speaker === NOBODY ? "nobody's lips move" : `face ${speaker} speaks`;
  return [said, speaker === null ? "" : lips].filter(Boolean).join("; ") || "as it was at first";
}

function dubSpan(segment) {
  return segment.text ? [segment.dub_start_ms ?? 0, segment.dub_end_ms] : [segment.start_ms, segment.end_ms];
}

// An emptied text goes back to what the engines said.
function changesOf(form, shown) {
  const changes = {};
  for (const name of ["text", "translation"]) {
    const value = form.elements[name].value.trim();
    if (value !== shown[name]) changes[name] = value || null;
  }
  const chosen = form.elements.speaker?.value ?? AUTOMATIC;
  const speaker = chosen === AUTOMATIC ? null : Number(chosen);
  if (form.elements.speaker && speaker !== shown.speaker) changes.speaker = speaker;
  if (form.elements.skip.checked !== shown.skip) changes.skip = form.elements.skip.checked || null;
  return changes;
}
