// Data: open something, look at its columns, change what they are taken for.
import { html, useEffect, useRef, useState } from "/static/vendor/preact-htm.js";
import { get, post, upload } from "/static/api.js";
import { Bars, Histogram, Problem, Rows, drawnOf, percent, useAnswer, useUndo } from "/static/parts.js";
import { Picture } from "/static/pictures.js";
import { said } from "/static/said.js";

export function Data({ t, state, setState, go }) {
  const [error, setError] = useState(""), [busy, setBusy] = useState(false), [over, setOver] = useState(false), [turn, setTurn] = useState(0), [waiting, setWaiting] = useState(null);
  const open = (start) => {
    setWaiting(null); setBusy(true); setError("");
    start().then((s) => { setState(s); setTurn((n) => n + 1); if (!s.data && s.model) go("ask"); }, (e) => setError(e.message)).then(() => setBusy(false));
  };
  // What is opened takes the place of models that were trained here: ask first, if they are nowhere else.
  const want = (start) => get("/api/state").then((s) => { setState(s); if (s.fresh.length) setWaiting({ start, names: s.fresh }); else open(start); }, (e) => setError(e.message));
  const take = (file) => file && want(() => upload(file));
  const drop = (event) => { event.preventDefault(); setOver(false); take(event.dataTransfer.files[0]); };
  return html`
    <div class=${`drop ${over ? "over" : ""} ${state.data ? "small" : ""}`} onDragOver=${(e) => { e.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${drop}>
      <h2>${t.dropTitle}</h2><p>${busy ? t.opening : t.dropText}</p>
      <div class="row" style=${{ justifyContent: "center", margin: 0 }}>
        <label class="go" tabindex="0" onKeyDown=${(e) => (e.key === "Enter" || e.key === " ") && e.currentTarget.querySelector("input").click()}>${t.choose}<input type="file" hidden onChange=${(e) => { const file = e.target.files[0]; take(file); e.target.value = ""; }} /></label>
        <span class="muted">${t.orExample}</span>
        ${state.examples.map((name) => html`<button class="plain" disabled=${busy} onClick=${() => want(() => post(`/api/example/${name}`))}>${name}</button>`)}
      </div>
    </div>
    ${waiting && html`<${Leave} ...${{ t, names: waiting.names, yes: () => open(waiting.start), no: () => setWaiting(null) }} />`}
    <${Problem} text=${error} />
    ${state.before && !busy && html`<p class="row" role="status"><span class="muted">${t.leftBehind} <b>${state.before}</b></span><button class="plain" onClick=${() => open(() => post("/api/back"))}>${t.goBack}</button></p>`}
    ${state.data?.assumed && html`<p class="muted">${said(state.data.assumed)}</p>`}
    ${state.data?.form === "table" && html`<${Columns} key=${`${turn} ${state.data.name}`} ...${{ t, state, setState, go }} />`}
    ${state.data?.form === "images" && html`<div class="row" style=${{ marginTop: "1rem" }}><button class="go" onClick=${() => go("train")}>${t.toTrain}</button></div>`}`;
}

// Before models go that are nowhere else.
function Leave({ t, names, yes, no }) {
  const box = useRef(null), [taken, setTaken] = useState([]);
  useEffect(() => { box.current.showModal(); }, []);
  return html`<dialog ref=${box} aria-labelledby="leave" onClose=${no}><h2 id="leave">${t.leaveTitle}</h2><p>${t.leaveText}</p>
    <ul>${names.map((n) => html`<li><a href=${`/api/model.laten?name=${encodeURIComponent(n)}`} download onClick=${() => setTaken([...taken, n])}>${t.download}: ${n}</a>${taken.includes(n) && " ✓"}</li>`)}</ul>
    <div class="row" style=${{ margin: 0 }}><button class="go" onClick=${() => box.current.close()}>${t.leaveNot}</button><button class="plain" onClick=${yes}>${t.leaveOpen}</button></div></dialog>`;
}

function Columns({ t, state, setState, go }) {
  const [own, setOwn] = useState(null), [error, setError] = useState("");
  const cards = useAnswer(() => get("/api/columns"), [state.data.name]);
  const rows = useAnswer(() => get("/api/rows"), [state.data.name]);
  const shown = own ?? cards.found;
  const alter = (path, body) => { setError(""); return post(path, body).then((cards) => { setOwn(cards); get("/api/state").then(setState); }, (e) => setError(e.message)); };
  const change = (column, what) => alter("/api/column", { column, ...what }), undo = () => state.undo > 0 && alter("/api/column/undo");
  useUndo(undo, [state.undo]);
  return html`
    <div class="row" style=${{ marginTop: "1.2rem", justifyContent: "space-between" }}><div><h2>${t.dataTitle}</h2><p class="lead" style=${{ margin: 0 }}>${t.dataLead}</p></div>
      <div class="row" style=${{ margin: 0 }}>${state.undo > 0 && html`<button class="plain" title="Ctrl+Z" onClick=${undo}>${t.undo}</button>`}<a href="/api/schema.toml" download>${t.schemaFile}</a><button class="go" onClick=${() => go("train")}>${t.toTrain}</button></div></div>
    <${Problem} text=${error || cards.error} />
    <div class="grid">${(shown ?? []).map((c) => html`<section class=${`card ${c.aside ? "aside" : ""}`} key=${c.name}>
      <h3>${c.name}<small><select aria-label=${`${c.name}: ${t.kind}`} value=${c.kind} onChange=${(e) => change(c.name, { kind: e.target.value })}>${c.kinds.map((k) => html`<option value=${k} selected=${k === c.kind}>${t.kindNames[k] ?? k}</option>`)}</select></small></h3>
      <p class="said">${c.aside ? html`<b>${t.aside}</b>: ` : ""}${said(c.reason)}${c.missing ? html` · ${percent(c.missing / c.rows)} ${t.missing}` : ""}</p>
      ${(c.form === "classes" || c.edges) && html`<${Picture} ...${{ t, name: c.name, table: drawnOf(c) }}>${c.form === "classes" ? html`<${Bars} column=${c} />` : html`<${Histogram} column=${c} />`}</${Picture}>`}
      ${c.order && html`<${Order} ...${{ t, c, change }} />`}
      ${c.unseen && html`<label class="field later">${t.unseen}<select aria-label=${`${c.name}: ${t.unseen}`} value=${c.unseen} onChange=${(e) => change(c.name, { unseen: e.target.value })}>${["error", "other"].map((u) => html`<option value=${u} selected=${u === c.unseen}>${t.unseenNames[u]}</option>`)}</select></label>`}
      ${c.remark && html`<p class="warn" style=${{ fontSize: ".82rem" }}>${said(c.remark)}</p>`}
    </section>`)}</div>
    <h2 style=${{ marginTop: "1.4rem" }}>${t.firstRows}</h2>
    ${rows.found && html`<${Rows} table=${rows.found} />`}`;
}

// The levels of an ordinal column from low to high: dragged, or moved by the arrows beside them.
function Order({ t, c, change }) {
  const list = useRef(null), moved = useRef(null), [from, setFrom] = useState(null), n = c.order.length;
  const move = (i, to, button) => {
    if (to < 0 || to >= n || to === i) return;
    const places = c.order.map((_, k) => k);
    places.splice(to, 0, ...places.splice(i, 1));
    moved.current = [c.order[i], button];
    change(c.name, { levels: places });
  };
  useEffect(() => { // the button that moved stays in use; at an end, its twin
    if (!moved.current) return;
    const [level, button] = moved.current, row = [...list.current.children].find((e) => e.dataset.level === level);
    moved.current = null;
    (row?.querySelector(`button.${button}:not(:disabled)`) ?? row?.querySelector("button:not(:disabled)"))?.focus();
  }, [c.order.join("\n")]);
  const arrow = (i, by, name, mark) => html`<button type="button" class=${`plain ${name}`} disabled=${i + by < 0 || i + by >= n} aria-label=${`${c.order[i]}: ${t[name]} (${i + 1} / ${n})`} onClick=${() => move(i, i + by, name)}>${mark}</button>`;
  return html`<details class="order"><summary>${t.levelOrder}</summary><p class="muted">${t.orderLead}</p><ol ref=${list}>${c.order.map((level, i) => html`<li key=${level} data-level=${level} draggable=${true} class=${from === i ? "dragged" : ""} onDragStart=${(e) => { e.dataTransfer.effectAllowed = "move"; e.dataTransfer.setData("text/plain", level); setFrom(i); }} onDragEnd=${() => setFrom(null)} onDragOver=${(e) => from != null && e.preventDefault()} onDrop=${(e) => { if (from == null) return; e.preventDefault(); e.stopPropagation(); move(from, i, "up"); setFrom(null); }}><span>${level}</span>${arrow(i, -1, "up", "↑")}${arrow(i, 1, "down", "↓")}</li>`)}</ol></details>`;
}
