// Map: rows in two dimensions of the latents; what a point, or a setting of the sliders, stands for; rows that are selected.
import { html, useEffect, useMemo, useState } from "/static/vendor/preact-htm.js";
import { bytes, get, post } from "/static/api.js";
import { save } from "/static/export.js";
import { Pixels } from "/static/models.js";
import { Busy, Code, Problem, Rows, percent, short, useAnswer } from "/static/parts.js";
import { Picture } from "/static/pictures.js";
import { said } from "/static/said.js";
import { Scatter, shaded } from "/static/scatter.js";

// The points of the map, from bytes: the length of a header, the header, then x, y and colours.
function unpacked(buffer) {
  const size = new DataView(buffer).getUint32(0, true), head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  const part = (k) => new Float32Array(buffer, 4 + size + 4 * k * head.n, head.n);
  return { ...head, x: part(0), y: part(1), values: head.colour ? part(2) : null };
}

export function LatentMap({ t, state, theme }) {
  const [colour, setColour] = useState(""), [method, setMethod] = useState("auto"), [asked, setAsked] = useState(null), [picked, setPicked] = useState([]), [line, setLine] = useState(null), [dense, setDense] = useState(false);
  const model = state.model, usable = model && model.form !== "exact" && state.data, depends = [model?.name, model?.bound, state.data?.name];
  const names = useAnswer(() => (usable && state.data.form === "table" ? get("/api/columns") : Promise.resolve([])), [state.data?.name]);
  const map = useAnswer(() => (usable ? bytes(`/api/map?colour=${encodeURIComponent(colour)}&method=${method}`).then(unpacked) : Promise.resolve(null)), [colour, method, ...depends]);
  const density = useAnswer(() => (usable && dense ? get(`/api/map/density?colour=${encodeURIComponent(colour)}&method=${method}`) : Promise.resolve(null)), [dense, colour, method, ...depends]);
  useEffect(() => { setPicked([]); setLine(null); }, [method, ...depends]);
  useEffect(() => { if (map.found) setAsked((old) => old ?? { z: Array(map.found.latents).fill(0) }); }, [map.found]);
  const decoded = useAnswer(() => (asked ? post("/api/decode", asked) : Promise.resolve(null)), [JSON.stringify(asked)]);
  const shade = useMemo(() => map.found && shaded(map.found), [map.found]);
  if (!model || model.form === "exact") return html`<${Problem} text=${t.needModel} />`;
  if (!state.data) return html`<${Problem} text=${t.needData} />`;
  const z = asked?.z ?? decoded.found?.z, row = asked?.row, found = map.found;
  const table = () => ({ columns: [...found.axes, ...(found.colour ? [found.colour.name] : [])], rows: Array.from(found.x, (x, i) => [x, found.y[i], ...(found.colour ? [found.colour.labels ? (found.colour.labels[found.values[i]] ?? "") : found.values[i]] : [])]) });
  return html`<h2>${t.mapTitle}</h2><p class="lead">${t.mapLead}</p>
    <div class="row">
      ${(names.found ?? []).length > 0 && html`<label class="field">${t.colour}<select value=${colour} onChange=${(e) => setColour(e.target.value)}><option value="">${t.none}</option>${names.found.filter((c) => !c.aside).map((c) => html`<option value=${c.name}>${c.name}</option>`)}</select></label>`}
      ${model.latents.length > 2 && html`<label class="field">${t.plane}<select value=${method} onChange=${(e) => setMethod(e.target.value)}><option value="auto">${t.auto}</option><option value="axes">${t.axes}</option></select></label>`}
      <label><input type="checkbox" checked=${dense} onChange=${(e) => setDense(e.target.checked)} /> ${t.densities}</label>
      <${Busy} ...${{ t, busy: map.busy || decoded.busy || density.busy }} /></div>
    <${Problem} text=${map.error || decoded.error || density.error} />
    ${found && html`<div class="two"><div class="panel"><${Picture} ...${{ t, name: "map", table }}><${Scatter} ...${{ t, map: found, shade, row, show: (i) => setAsked({ row: i }), picked, setPicked, line, setLine, density: density.found, theme }} /></${Picture}>
        <p class="muted">${said(found.note)}${density.found?.groups.length ? ` · ${density.found.groups[0].class == null ? t.densityLead : t.densityOf}` : ""}${row != null && decoded.found?.number != null ? ` · ${t.row} ${decoded.found.number}` : ""}</p><${Legend} ...${{ shade, colour: found.colour }} /></div>
      <div class="panel"><h3 style=${{ marginTop: 0 }}>${t.decoded}</h3>
        ${decoded.found?.image && html`<${Pixels} key=${JSON.stringify(asked)} image=${decoded.found.image} />`}
        ${decoded.found?.row && html`<table><tbody>${decoded.found.row.columns.map((c, i) => html`<tr><td class="muted">${c}</td><td>${decoded.found.row.rows[0][i] ?? ""}</td></tr>`)}</tbody></table>`}
        <div style=${{ marginTop: ".8rem" }}>${z && model.latents.map((name, i) => html`<label class="slider"><span>${name}</span><input type="range" min="-3.5" max="3.5" step="0.05" value=${z[i] ?? 0} onInput=${(e) => setAsked({ z: z.map((v, j) => (j === i ? +e.target.value : v)) })} /><output>${(z[i] ?? 0).toFixed(2)}</output></label>`)}</div></div></div>
      ${line && html`<${Line} ...${{ t, line, clear: () => setLine(null) }} />`}
      ${picked.length > 0 && html`<${Selected} ...${{ t, picked, clear: () => setPicked([]), name: state.data.name }} />`}`}`;
}

function Legend({ shade, colour }) {
  if (!colour) return null;
  const write = colour.date ? (v) => new Date(v * 86400000).toISOString().slice(0, 10) : colour.labels ? (v) => v : short;
  return html`<div class="legend">${shade.legend.map(([c, v]) => html`<span><i style=${{ background: c }}></i>${write(v)}</span>`)}</div>`;
}

// What lies between two rows: a strip of images, or of rows with each change in bold.
function Line({ t, line, clear }) {
  const { found, error, busy } = useAnswer(() => post("/api/path", { from: line[0], to: line[1] }), [line]), rows = found?.table?.rows;
  return html`<div class="panel" aria-live="polite"><div class="row"><b>${found ? `${t.lineFrom} ${found.numbers[0]} ${t.lineTo} ${found.numbers[1]}` : t.line}</b><button class="plain" onClick=${clear}>${t.noLine}</button><${Busy} ...${{ t, busy }} /></div><p class="muted">${t.lineLead}</p><${Problem} text=${error} />
    ${found?.images && html`<div class="strip">${found.images.map((image, i) => html`<figure key=${`${line} ${i}`}><${Pixels} image=${image} /><figcaption>${percent(found.shares[i])}</figcaption></figure>`)}</div>`}
    ${rows && html`<div class="scroll" tabindex="0"><table><thead><tr><th></th>${found.shares.map((s) => html`<th>${percent(s)}</th>`)}</tr></thead><tbody>${found.table.columns.map((c, j) => html`<tr><td class="muted">${c}</td>${rows.map((r, i) => html`<td>${i > 0 && r[j] !== rows[i - 1][j] ? html`<b>${r[j]}</b>` : r[j]}</td>`)}</tr>`)}</tbody></table></div>`}
    ${found && html`<${Code} ...${{ t, code: found.code }} />`}</div>`;
}

function Selected({ t, picked, clear }) {
  const { found, error, busy } = useAnswer(() => post("/api/selected", { places: picked }), [picked]);
  const take = () => bytes("/api/selected.csv", { places: picked }).then((b) => save(new Blob([b], { type: "text/csv" }), "selected.csv"));
  return html`<div class="panel" aria-live="polite"><div class="row"><b>${picked.length.toLocaleString()} ${t.rows} ${t.selected}</b><button class="plain" onClick=${clear}>${t.unselect}</button>${found?.table && html`<button class="plain" onClick=${take}>${t.takeRows}</button>`}<${Busy} ...${{ t, busy }} /></div><${Problem} text=${error} />
    ${found?.summary && html`<div class="pair"><div><h4>${t.usual}</h4><${Rows} table=${{ columns: ["", t.selected, t.others], rows: found.summary.rows }} /></div><div><h4>${t.firstRows}</h4><${Rows} table=${found.table} head=${[t.row, found.numbers]} /></div></div>`}</div>`;
}
