// Ask: evidence on some columns, the distribution of all others.
import { html, useState } from "/static/vendor/preact-htm.js";
import { post } from "/static/api.js";
import { Bars, Busy, Code, Histogram, Problem, drawnOf, percent, short, useAnswer } from "/static/parts.js";
import { Picture } from "/static/pictures.js";
import { said } from "/static/said.js";

const FEW = 20, UNSURE = 0.7; // effective draws; Pareto k

export function Ask({ t, state, evidence, setEvidence, undo }) {
  const [kept, setKept] = useState([]);
  const model = state.model;
  const { found, error, busy } = useAnswer(() => (model && model.form !== "images" ? post("/api/ask", evidence) : Promise.resolve(null)), [JSON.stringify(evidence), model?.name, model?.bound]);
  if (!model) return html`<${Problem} text=${t.needModel} />`;
  if (model.form === "images") return html`<p class="lead">${t.tableOnly}</p>`;
  const set = (name, said) => setEvidence(said == null ? Object.fromEntries(Object.entries(evidence).filter(([n]) => n !== name)) : { ...evidence, [name]: said });
  const given = Object.keys(evidence), unsure = found && given.length > 0 && found.effective != null && (found.effective < FEW || found.pareto_k > UNSURE);
  return html`<h2>${t.askTitle}</h2><p class="lead">${t.askLead}</p>
    <div class="panel" aria-live="polite">
      <div class="chips"><b>${t.known}</b>${given.length ? given.map((n) => html`<button class="chip" title=${t.clear} onClick=${() => set(n, null)}>${n}: ${found?.evidence[n] ?? "…"} ✕</button>`) : html`<span class="muted">${t.nothing}</span>`}
        ${found && found.effective == null && html`<span class="muted">· ${t.exact}</span>`}
        ${given.length > 0 && html`<button class="plain" onClick=${() => setEvidence({})}>${t.clear}</button>`}
        ${undo && html`<button class="plain" title="Ctrl+Z" onClick=${undo}>${t.undo}</button>`}
        ${given.length > 0 && html`<button class="plain" onClick=${() => found && setKept([...kept, { evidence, found }])}>${t.keep}</button>`}
        <${Busy} ...${{ t, busy }} /></div>
      ${found && given.length > 0 && html`<p class="muted" style=${{ margin: ".45rem 0 0" }}>${t.evidence} = <b>${found.log_evidence?.toFixed(2)}</b> ${t.nats}${found.effective == null ? "" : ` · ${found.effective.toFixed(0)} ${t.effective}`}
        ${found.next.length > 0 && html` · ${t.nextBest} ${found.next.map((n) => html`<a href=${`#ask`} onClick=${(e) => { e.preventDefault(); document.getElementById(`ask ${n}`)?.scrollIntoView({ block: "center" }); document.getElementById(`ask ${n}`)?.focus(); }}>${n}</a> `)}`}</p>`}
      ${(found?.notes ?? []).map((n) => html`<p class="warn" role="alert">${said(n)}</p>`)}
      ${unsure && html`<p class="warn" role="alert">${t.few}</p>`}
      ${found && html`<${Code} ...${{ t, code: found.code }} />`}
    </div>
    <${Problem} text=${error} />
    ${found && html`<${Likely} key=${JSON.stringify([evidence, model.name, model.bound])} ...${{ t, evidence }} />`}
    ${kept.length > 0 && html`<${Scenarios} ...${{ t, kept, setKept, setEvidence }} />`}
    ${found && html`<div class="grid">${found.columns.map((c) => html`<${Card} key=${c.name} ...${{ t, c, said: evidence[c.name], set, sure: given.length > 0 }} />`)}</div>`}`;
}

// One whole row that agrees with what is known.
function Likely({ t, evidence }) {
  const [asked, setAsked] = useState(false), { found, error, busy } = useAnswer(() => (asked ? post("/api/likely", evidence) : Promise.resolve(null)), [asked]);
  if (!asked) return html`<p><button class="plain" onClick=${() => setAsked(true)}>${t.likely}</button></p>`;
  return html`<div class="panel" aria-live="polite"><h3>${t.likelyTitle}</h3><${Busy} ...${{ t, busy }} /><${Problem} text=${error} />
    ${found && html`<dl class="facts likely">${Object.entries(found.row).map(([n, v]) => html`<div class=${n in evidence ? "known" : ""}><dt>${n}</dt><dd>${v}</dd></div>`)}</dl>
      <p class="muted">log p = ${found.log_p.toFixed(2)}${found.error > 0 ? ` ± ${short(found.error)}` : ""} ${t.nats} · ${found.exact ? t.likelyExact : `${t.likelyOf} ${found.candidates} ${t.likelyRows}`}</p>
      ${(found.notes ?? []).map((n) => html`<p class="warn" role="alert">${said(n)}</p>`)}<${Code} ...${{ t, code: found.code }} />`}</div>`;
}

function Card({ t, c, said, set, sure }) {
  const [typed, setTyped] = useState(""), [also, setAlso] = useState(false);
  const classes = c.form === "classes";
  const chosen = said?.is != null ? [said.is] : said?.any ?? [];
  const pick = (i, several) => {
    if (several && chosen.length) {
      const next = chosen.includes(i) ? chosen.filter((k) => k !== i) : [...chosen, i];
      set(c.name, next.length > 1 ? { any: next } : next.length ? { is: next[0] } : null);
    } else set(c.name, chosen.length === 1 && chosen[0] === i ? null : { is: i });
  };
  const level = (text) => { const i = c.levels.findIndex((l) => l.toLowerCase() === text.trim().toLowerCase()); if (i >= 0) { pick(i, also); setTyped(""); } };
  const value = (x) => (c.form === "number" ? short(x) : x);
  const summary = classes ? `${c.labels[c.p.indexOf(Math.max(...c.p))]}: ${percent(Math.max(...c.p))}${c.error && sure ? ` ± ${percent(c.error)}` : ""}` : `${t.median} ${value(c.median)} · ${t.between} ${value(c.low)} … ${value(c.high)}`;
  return html`<section class=${`card ${said ? "given" : ""}`} id=${`ask ${c.name}`} tabindex="-1">
    <h3>${c.name}<small>${t.kindNames[c.kind] ?? c.kind}</small></h3>
    <p class="said">${summary}</p>
    <${Picture} ...${{ t, name: c.name, table: drawnOf(c) }}>${classes ? html`<${Bars} column=${c} chosen=${chosen} onPick=${(i, several) => pick(i, several || also)} />`
      : html`<${Histogram} column=${c} given=${!!said} label=${`${c.name}: ${summary}`} onBrush=${(low, high) => set(c.name, { low, high })} />`}</${Picture}>
      ${classes && said && html`<button type="button" class="plain also" aria-pressed=${also} onClick=${() => setAlso(!also)}>${t.also}</button>`}
      ${classes && c.levels?.length > 0 && html`<form class="typed" onSubmit=${(e) => { e.preventDefault(); level(typed); }}><input type="text" list=${`levels ${c.name}`} aria-label=${`${c.name}: ${t.findLevel}`} placeholder=${`${t.findLevel} (${c.levels.length})`} value=${typed} onInput=${(e) => { setTyped(e.target.value); if (e.inputType == null || e.inputType === "insertReplacementText") level(e.target.value); }} /><datalist id=${`levels ${c.name}`}>${c.levels.map((l) => html`<option value=${l} />`)}</datalist><button class="plain">${t.apply}</button></form>`}
      ${!classes && html`<form class="typed" onSubmit=${(e) => { e.preventDefault(); set(c.name, typed.trim() ? { text: typed.trim() } : null); }}><input type="text" aria-label=${c.name} placeholder=${t.typeHere} value=${typed} onInput=${(e) => setTyped(e.target.value)} /><button class="plain">${t.apply}</button></form>`}
  </section>`;
}

function Scenarios({ t, kept, setKept, setEvidence }) {
  const names = [...new Set(kept.flatMap((k) => Object.keys(k.evidence)))];
  const columns = kept[0].found.columns.filter((c) => !names.includes(c.name)).map((c) => c.name);
  const say = (c) => (c.form === "classes" ? `${c.labels[c.p.indexOf(Math.max(...c.p))]} ${percent(Math.max(...c.p))}` : `${c.form === "number" ? short(c.median) : c.median}`);
  return html`<h2>${t.scenarios}</h2><div class="scroll" style=${{ marginBottom: "1rem" }}><table><thead><tr><th></th>${kept.map((k, i) => html`<th>${Object.entries(k.found.evidence).map(([n, v]) => `${n}: ${v}`).join(", ")}
      <div><button class="plain" onClick=${() => setEvidence(k.evidence)}>${t.restore}</button> <button class="plain" aria-label=${t.clear} onClick=${() => setKept(kept.filter((_, j) => j !== i))}>✕</button></div></th>`)}</tr></thead>
    <tbody><tr><td>${t.evidence}</td>${kept.map((k) => html`<td>${k.found.log_evidence?.toFixed(2)}</td>`)}</tr>
    ${columns.map((n) => html`<tr><td>${n}</td>${kept.map((k) => html`<td>${say(k.found.columns.find((c) => c.name === n))}</td>`)}</tr>`)}</tbody></table></div>`;
}
