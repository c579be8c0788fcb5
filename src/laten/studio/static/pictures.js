// Pictures that several pages draw, and the menu that takes one away as PNG, SVG or CSV.
import { html, useRef } from "/static/vendor/preact-htm.js";
import { short } from "/static/parts.js";
import { Export } from "/static/export.js";
const d3 = window.d3;

// A picture with its menu. `table`: what is drawn, as columns and rows.
export function Picture({ t, name, table, children }) {
  const figure = useRef(null);
  return html`<figure class="picture" ref=${figure}>${children}<${Export} ...${{ t, name, table, of: figure }} /></figure>`;
}

// Values with their errors, one below the other on one scale. The line reaches over two standard errors on either side.
export function Intervals({ rows, unit, digits = 2 }) {
  const ends = rows.flatMap((r) => [r.value - 2 * (r.error ?? 0), r.value + 2 * (r.error ?? 0)]);
  const [low, high] = d3.extent(ends), wide = high - low || Math.abs(high) * 0.01 || 1;
  const W = 560, left = 150, right = 136, high1 = 26, H = rows.length * high1 + 40;
  const x = d3.scaleLinear([low - 0.06 * wide, high + 0.06 * wide], [left, W - right]).nice(4);
  const ticks = x.ticks(4);
  return html`<svg class="intervals" viewBox=${`0 0 ${W} ${H}`} role="img" aria-label=${rows.map((r) => `${r.name}: ${r.value.toFixed(digits)}`).join("; ")}>
    ${ticks.map((v) => html`<g><line class="axis" x1=${x(v)} x2=${x(v)} y1="4" y2=${H - 36} /><text x=${x(v)} y=${H - 20} text-anchor="middle">${short(v)}</text></g>`)}
    <text x=${(left + W - right) / 2} y=${H - 3} text-anchor="middle">${unit}</text>
    ${rows.map((r, i) => { const y = 16 + i * high1; return html`<g><text class="strong" x=${left - 10} y=${y + 4} text-anchor="end">${r.name}</text>
      ${r.error > 0 && html`<line class=${r.second ? "error second" : "error"} x1=${x(r.value - 2 * r.error)} x2=${x(r.value + 2 * r.error)} y1=${y} y2=${y} />`}<circle class=${r.second ? "dot second" : "dot"} cx=${x(r.value)} cy=${y} r="5" />
      <text class="strong" x=${W - right + 12} y=${y + 4}>${r.value.toFixed(digits)}${r.error > 0 ? ` ± ${short(r.error)}` : ""}</text></g>`; })}
  </svg>`;
}

// What was said against what happened; on the diagonal both agree.
export function Diagonal({ x: across, y: up, lines }) {
  const S = 300, left = 58, bottom = 40, x = d3.scaleLinear([0, 1], [left, S - 8]), y = d3.scaleLinear([0, 1], [S - bottom, 8]), ticks = [0, 0.25, 0.5, 0.75, 1];
  const most = Math.max(1, ...lines.flatMap((l) => l.size ?? [])), path = d3.line((p) => x(p[0]), (p) => y(p[1]));
  return html`<svg class="square" viewBox=${`0 0 ${S} ${S}`} role="img" aria-label=${`${across}, ${up}`}>
    ${ticks.map((v) => html`<g><line class="axis" x1=${left} x2=${S - 8} y1=${y(v)} y2=${y(v)} /><text x=${left - 6} y=${y(v) + 4} text-anchor="end">${Math.round(100 * v)} %</text><text x=${x(v)} y=${S - bottom + 15} text-anchor="middle">${Math.round(100 * v)} %</text></g>`)}
    <line class="agree" x1=${x(0)} x2=${x(1)} y1=${y(0)} y2=${y(1)} /><text x=${(left + S) / 2} y=${S - 6} text-anchor="middle">${across}</text><text transform=${`translate(11,${(S - bottom) / 2}) rotate(-90)`} text-anchor="middle">${up}</text>
    ${lines.map((l, i) => html`<g><path class=${i ? "line second" : "line"} d=${path(l.x.map((v, k) => [v, l.y[k]]))} />${l.x.map((v, k) => html`<circle class=${i ? "dot second" : "dot"} cx=${x(v)} cy=${y(l.y[k])} r=${l.size ? 2.5 + 4.5 * Math.sqrt(l.size[k] / most) : 3.5} />`)}</g>`)}
  </svg>`;
}
