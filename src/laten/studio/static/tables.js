// Fill holes, odd rows, synthetic rows: what a model makes of a table.
import { html, useState } from "/static/vendor/preact-htm.js";
import { bytes, get, post } from "/static/api.js";
import { save } from "/static/export.js";
import { Busy, Code, Histogram, Problem, Rows, short, signed, useAnswer } from "/static/parts.js";
import { Picture } from "/static/pictures.js";

const ready = (t, state) => (!state.model || state.model.form === "exact" ? t.needModel : state.model.form === "images" ? t.tableOnly : state.data ? "" : t.needData);

export function Fill({ t, state }) {
  const not = ready(t, state), { found, error, busy } = useAnswer(() => (not ? Promise.resolve(null) : get("/api/fill")), [state.model?.name, state.model?.bound, not]);
  const [left, setLeft] = useState(new Set()), [failed, setFailed] = useState("");
  const place = (i, j) => `${found.numbers[i]} ${j}`, toggle = (key) => { const next = new Set(left); if (!next.delete(key)) next.add(key); setLeft(next); };
  const take = () => { setFailed(""); bytes("/api/filled.csv", { keep: [...left].map((k) => k.split(" ").map(Number)) }).then((b) => save(new Blob([b], { type: "text/csv" }), "filled.csv"), (e) => setFailed(e.message)); };
  const at = new Map((found?.cells ?? []).map(([i, j, ends]) => [`${i} ${j}`, ends]));
  const cell = (i, j, v) => at.has(`${i} ${j}`) && html`<td class=${left.has(place(i, j)) ? "filled left" : "filled"}><button type="button" aria-pressed=${left.has(place(i, j))} title=${t.leaveHole} onClick=${() => toggle(place(i, j))}>${v}</button>${at.get(`${i} ${j}`)[0] != null && html`<small>${at.get(`${i} ${j}`).join(" … ")}</small>`}</td>`;
  return html`<h2>${t.fill}</h2><p class="lead">${t.fillLead}</p><${Problem} text=${not || error || failed} /><${Busy} ...${{ t, busy }} />
    ${found && (found.table ? html`<div class="row"><span>${found.holes.toLocaleString()} ${t.holes} · ${found.rows.toLocaleString()} ${t.rowsWithHoles} · ${found.shown} ${t.shownOf}</span><button type="button" class="go" onClick=${take}>${t.downloadFilled}</button>${left.size > 0 && html`<span>${left.size} ${t.holesLeft}</span>`}</div>
      <${Code} ...${{ t, code: found.code }} /><${Rows} table=${found.table} cell=${cell} head=${[t.row, found.numbers]} />` : html`<p>${t.noHoles}</p>`)}`;
}

export function Odd({ t, state }) {
  const not = ready(t, state), { found, error, busy } = useAnswer(() => (not ? Promise.resolve(null) : get("/api/odd?top=25")), [state.model?.name, state.model?.bound, not]);
  const [open, setOpen] = useState(0);
  return html`<h2>${t.odd}</h2><p class="lead">${t.oddLead}</p><${Problem} text=${not || error} /><${Busy} ...${{ t, busy }} />
    ${found && html`<${Code} ...${{ t, code: found.code }} /><div class="two"><div class="scroll"><table><thead><tr><th>${t.row}</th><th>${t.logp}</th><th>${t.why}</th></tr></thead>
      <tbody>${found.rows.map((row, i) => { const most = worst(found, i, 2); return html`<tr aria-selected=${i === open}><td><button class="plain" onClick=${() => setOpen(i)}>${row}</button></td><td>${found.log_p[i].toFixed(1)}</td><td>${most.map(([c, x]) => `${c} = ${value(found, i, c)} (+${x.toFixed(1)})`).join(", ")}</td></tr>`; })}</tbody></table></div>
      <div class="panel"><${Picture} ...${{ t, name: `row ${found.rows[open]}`, table: { columns: ["column", "value", "nats"], rows: worst(found, open, found.columns.length).map(([c, x]) => [c, value(found, open, c), x]) } }}><h3 style=${{ marginTop: 0 }}>${t.row} ${found.rows[open]}</h3><${Waterfall} ...${{ found, open }} /></${Picture}>
        <${Ordinary} key=${open} ...${{ t, row: found.rows[open], column: worst(found, open, 1)[0][0] }} />
        <${Picture} ...${{ t, name: "log_p", table: { columns: ["from", "to", "rows"], rows: found.counts.map((n, i) => [found.edges[i], found.edges[i + 1], n]) } }}><h4>${t.scores}</h4><${Histogram} column=${{ name: "log p", form: "number", edges: found.edges, p: found.counts }} label=${t.scores} /></${Picture}></div></div>`}`;
}
const value = (found, i, c) => found.table.rows[i][found.table.columns.indexOf(c)] ?? "∅";
const worst = (found, i, n) => found.columns.map((c, j) => [c, found.excess[i][j]]).sort((a, b) => b[1] - a[1]).slice(0, n);

function Ordinary({ t, row, column }) {
  const { found, error, busy } = useAnswer(() => get(`/api/ordinary?row=${row}&column=${encodeURIComponent(column)}`), []);
  return html`<p aria-live="polite">${column}: <span class="muted">${t.ordinary}</span> ${found && html`<b>${found.value}</b>`}<${Busy} ...${{ t, busy }} /></p><${Problem} text=${error} />`;
}

function Waterfall({ found, open }) {
  const parts = worst(found, open, found.columns.length), most = Math.max(1, ...parts.map(([, x]) => Math.abs(x)));
  return html`<div>${parts.map(([c, x]) => html`<div class="bar" title=${`${c} = ${value(found, open, c)}`}><span class="name">${c} <span class="muted">${value(found, open, c)}</span></span><span class="track"><span class="now" style=${{ width: `${(100 * Math.max(0, x)) / most}%` }}></span></span><span class="much">${Math.abs(x) < 0.05 ? "0" : signed(+x.toFixed(1))}</span></div>`)}</div>`;
}

export function Synthetic({ t, state, evidence }) {
  const [n, setN] = useState(1000), [also, setAlso] = useState(true), [asked, setAsked] = useState(null);
  const usable = state.model && state.model.form === "table", known = Object.keys(evidence).length > 0;
  const { found, error, busy } = useAnswer(() => (asked && usable ? post("/api/synthetic", asked) : Promise.resolve(null)), [JSON.stringify(asked)]);
  if (!usable) return html`<h2>${t.synthetic}</h2><${Problem} text=${state.model?.form === "images" ? t.tableOnly : t.needModel} />`;
  return html`<h2>${t.synthetic}</h2><p class="lead">${t.synLead}</p>
    <form class="row" onSubmit=${(e) => { e.preventDefault(); setAsked({ n: +n, given: also && known ? evidence : {}, turn: (asked?.turn ?? 0) + 1 }); }}>
      <label class="field">${t.how}<input type="number" min="1" max="1000000" value=${n} onInput=${(e) => setN(e.target.value)} /></label>
      ${known && html`<label><input type="checkbox" checked=${also} onChange=${(e) => setAlso(e.target.checked)} /> ${t.useEvidence}: ${Object.keys(evidence).join(", ")}</label>`}
      <button class="go">${t.draw}</button><${Busy} ...${{ t, busy: busy && asked }} /></form>
    <${Problem} text=${error} />
      ${(found?.notes ?? []).map((n) => html`<p class="warn" role="alert">${n}</p>`)}
    ${found && html`<div class="row"><a href="/api/synthetic.csv" download>${t.downloadSyn}</a></div><${Code} ...${{ t, code: found.code }} />
      <${Quality} key=${JSON.stringify(asked)} ...${{ t }} />
      <h3>${t.firstRows}</h3><${Rows} table=${found.table} />`}`;
}

function Quality({ t }) {
  const { found, error, busy } = useAnswer(() => get("/api/quality"), []);
  if (!busy && !found?.measures.length) return html`<${Problem} text=${error} />`;
  return html`<h3>${t.quality}</h3><${Busy} ...${{ t, busy }} />${found && html`<div class="scroll"><table><tbody>${found.measures.map(([name, value, better, meaning]) => html`<tr><td>${name}</td><td>${value == null ? "" : short(value)}</td><td class="muted">${better}</td><td class="muted" style=${{ whiteSpace: "normal" }}>${meaning}</td></tr>`)}</tbody></table></div>`}`;
}
