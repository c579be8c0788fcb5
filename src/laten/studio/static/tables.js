// Synthetic rows, and what pages that need a table and a model say without them.
import { html, useState } from "/static/vendor/preact-htm.js";
import { get, post } from "/static/api.js";
import { Busy, Code, Problem, Rows, short, useAnswer } from "/static/parts.js";
import { said } from "/static/said.js";

export const ready = (t, state) => (!state.model || state.model.form === "exact" ? t.needModel : state.model.form === "images" ? t.tableOnly : state.data ? "" : t.needData);

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
      ${(found?.notes ?? []).map((n) => html`<p class="warn" role="alert">${said(n)}</p>`)}
    ${found && html`<div class="row"><a href="/api/synthetic.csv" download>${t.downloadSyn}</a></div><${Code} ...${{ t, code: found.code }} />
      <${Quality} key=${JSON.stringify(asked)} ...${{ t }} />
      <h3>${t.firstRows}</h3><${Rows} table=${found.table} />`}`;
}

function Quality({ t }) {
  const { found, error, busy } = useAnswer(() => get("/api/quality"), []);
  if (!busy && !found?.measures.length) return html`<${Problem} text=${error} />`;
  return html`<h3>${t.quality}</h3><${Busy} ...${{ t, busy }} />${found && html`<div class="scroll"><table><tbody>${found.measures.map(([name, value, better, meaning]) => html`<tr><td>${said(name)}</td><td>${value == null ? "" : short(value)}</td><td class="muted">${said(better)}</td><td class="muted" style=${{ whiteSpace: "normal" }}>${said(meaning)}</td></tr>`)}</tbody></table></div>`}`;
}
