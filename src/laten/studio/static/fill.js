// Fill: what the model puts into holes, taken or left cell by cell, or column by column.
import { html, useState } from "/static/vendor/preact-htm.js";
import { bytes, get, post } from "/static/api.js";
import { save } from "/static/export.js";
import { Busy, Code, Problem, Rows, useAnswer } from "/static/parts.js";
import { ready } from "/static/tables.js";

const flipped = (set, key) => { const next = new Set(set); if (!next.delete(key)) next.add(key); return next; };

export function Fill({ t, state }) {
  const not = ready(t, state), { found, error, busy } = useAnswer(() => (not ? Promise.resolve(null) : get("/api/fill")), [state.model?.name, state.model?.bound, not]);
  const ends = useAnswer(() => (found?.table ? get("/api/fill/intervals") : Promise.resolve(null)), [found]);
  const [columns, setColumns] = useState(new Set()), [cells, setCells] = useState(new Set()), [failed, setFailed] = useState(""); // columns that stay empty; cells that are not as their column is
  const choice = { columns: [...columns], cells: [...cells].map((key) => key.split(" ").map(Number)) };
  const code = useAnswer(() => (found?.table ? post("/api/fill/code", choice) : Promise.resolve(null)), [found, JSON.stringify(choice)]);
  const key = (i, j) => `${found.numbers[i]} ${j}`, empty = (i, j) => columns.has(j) !== cells.has(key(i, j));
  const turn = (j) => { setColumns(flipped(columns, j)); setCells(new Set([...cells].filter((k) => +k.split(" ")[1] !== j))); };
  const take = () => { setFailed(""); bytes(`/api/${found.file}`, choice).then((b) => save(new Blob([b]), found.file), (e) => setFailed(e.message)); };
  const at = new Map((found?.cells ?? []).map(([i, j], k) => [`${i} ${j}`, k])), left = found?.table ? [...columns].reduce((n, j) => n + found.by_column[j], 0) + choice.cells.reduce((n, [, j]) => n + (columns.has(j) ? -1 : 1), 0) : 0;
  const interval = (i, j) => { const pair = ends.found?.[at.get(`${i} ${j}`)]; return pair && pair[0] != null && html`<small>${pair.join(" … ")}</small>`; };
  const cell = (i, j, v) => at.has(`${i} ${j}`) && html`<td class=${empty(i, j) ? "filled left" : "filled"}><button type="button" aria-pressed=${empty(i, j)} title=${t.leaveHole} onClick=${() => setCells(flipped(cells, key(i, j)))}>${v}</button>${interval(i, j)}</td>`;
  const top = (c, j) => found.by_column[j] > 0 && html`<th class="choice"><span>${c}</span><button type="button" class=${columns.has(j) ? "plain on" : "plain"} aria-label=${`${c}: ${columns.has(j) ? t.takeColumn : t.leaveColumn} (${found.by_column[j]})`} onClick=${() => turn(j)}>${columns.has(j) ? t.takeColumn : t.leaveColumn}</button></th>`;
  return html`<h2>${t.fill}</h2><p class="lead">${t.fillLead}</p><${Problem} text=${not || error || ends.error || failed} /><${Busy} ...${{ t, busy }} />
    ${found && (found.table ? html`<div class="row"><span>${found.holes.toLocaleString()} ${t.holes} · ${found.rows.toLocaleString()} ${t.rowsWithHoles} · ${found.shown} ${t.shownOf}</span><button type="button" class="go" onClick=${take}>${t.downloadFilled}</button><span aria-live="polite">${left > 0 && `${left.toLocaleString()} ${t.holesLeft}`}</span><${Busy} ...${{ t, busy: ends.busy && !ends.found }} /></div>
      <${Code} ...${{ t, code: code.found }} /><${Rows} table=${found.table} cell=${cell} top=${top} head=${[t.row, found.numbers]} />` : html`<p>${t.noHoles}</p>`)}`;
}
