// Data: open something, look at its columns, change what they are taken for.
import { html, useState } from "/static/vendor/preact-htm.js";
import { get, post, upload } from "/static/api.js";
import { Bars, Histogram, Problem, Rows, drawnOf, percent, useAnswer, useUndo } from "/static/parts.js";
import { Picture } from "/static/pictures.js";

export function Data({ t, state, setState, go }) {
  const [error, setError] = useState(""), [busy, setBusy] = useState(false), [over, setOver] = useState(false);
  const open = (promise) => {
    setBusy(true); setError("");
    promise.then((s) => { setState(s); if (!s.data && s.model) go("ask"); }, (e) => setError(e.message)).then(() => setBusy(false));
  };
  const drop = (event) => { event.preventDefault(); setOver(false); const file = event.dataTransfer.files[0]; if (file) open(upload(file)); };
  return html`
    <div class=${`drop ${over ? "over" : ""} ${state.data ? "small" : ""}`} onDragOver=${(e) => { e.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${drop}>
      <h2>${t.dropTitle}</h2><p>${busy ? t.opening : t.dropText}</p>
      <div class="row" style=${{ justifyContent: "center", margin: 0 }}>
        <label class="go" tabindex="0" onKeyDown=${(e) => (e.key === "Enter" || e.key === " ") && e.currentTarget.querySelector("input").click()}>${t.choose}<input type="file" hidden onChange=${(e) => e.target.files[0] && open(upload(e.target.files[0]))} /></label>
        <span class="muted">${t.orExample}</span>
        ${state.examples.map((name) => html`<button class="plain" disabled=${busy} onClick=${() => open(post(`/api/example/${name}`))}>${name}</button>`)}
      </div>
    </div>
    <${Problem} text=${error} />
    ${state.data?.assumed && html`<p class="muted">${state.data.assumed}</p>`}
    ${state.data?.form === "table" && html`<${Columns} key=${state.data.name} ...${{ t, state, setState, go }} />`}
    ${state.data?.form === "images" && html`<div class="row" style=${{ marginTop: "1rem" }}><button class="go" onClick=${() => go("train")}>${t.toTrain}</button></div>`}`;
}

function Columns({ t, state, setState, go }) {
  const [own, setOwn] = useState(null), [error, setError] = useState("");
  const cards = useAnswer(() => get("/api/columns"), [state.data.name]);
  const rows = useAnswer(() => get("/api/rows"), [state.data.name]);
  const shown = own ?? cards.found;
  const alter = (path, body) => { setError(""); post(path, body).then((cards) => { setOwn(cards); get("/api/state").then(setState); }, (e) => setError(e.message)); };
  const change = (column, kind) => alter("/api/kind", { column, kind }), undo = () => state.undo > 0 && alter("/api/kind/undo");
  useUndo(undo, [state.undo]);
  return html`
    <div class="row" style=${{ marginTop: "1.2rem", justifyContent: "space-between" }}><div><h2>${t.dataTitle}</h2><p class="lead" style=${{ margin: 0 }}>${t.dataLead}</p></div>
      <div class="row" style=${{ margin: 0 }}>${state.undo > 0 && html`<button class="plain" title="Ctrl+Z" onClick=${undo}>${t.undo}</button>`}<a href="/api/schema.toml" download>${t.schemaFile}</a><button class="go" onClick=${() => go("train")}>${t.toTrain}</button></div></div>
    <${Problem} text=${error || cards.error} />
    <div class="grid">${(shown ?? []).map((c) => html`<section class=${`card ${c.aside ? "aside" : ""}`} key=${c.name}>
      <h3>${c.name}<small><select aria-label=${`${c.name}: ${t.kind}`} value=${c.kind} onChange=${(e) => change(c.name, e.target.value)}>${c.kinds.map((k) => html`<option value=${k} selected=${k === c.kind}>${k}</option>`)}</select></small></h3>
      <p class="said">${c.aside ? html`<b>${t.aside}</b>: ` : ""}${c.reason}${c.missing ? html` · ${percent(c.missing / c.rows)} ${t.missing}` : ""}</p>
      ${(c.form === "classes" || c.edges) && html`<${Picture} ...${{ t, name: c.name, table: drawnOf(c) }}>${c.form === "classes" ? html`<${Bars} column=${c} />` : html`<${Histogram} column=${c} />`}</${Picture}>`}
      ${c.remark && html`<p class="warn" style=${{ fontSize: ".82rem" }}>${c.remark}</p>`}
    </section>`)}</div>
    <h2 style=${{ marginTop: "1.4rem" }}>${t.firstRows}</h2>
    ${rows.found && html`<${Rows} table=${rows.found} />`}`;
}
