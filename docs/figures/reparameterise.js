// The same noise through mean + sd * noise, and two estimators of one gradient, side by side.

import { axis, breadth, button, drawn, element, logNormal, normals, scale, slider } from "figures/parts";

const TEXT = {
  en: { mean: "mean μ", sd: "width σ", again: "Other noise", noise: "noise ε", z: "z = μ + σ ε", score: "score function", path: "reparameterised", one: "one draw: sd", mean_of: "mean", truth: "true gradient",
    ratio: (r) => `The score function needs about ${r} times as many draws for the same precision.` },
  id: { mean: "rata-rata μ", sd: "lebar σ", again: "Derau lain", noise: "derau ε", z: "z = μ + σ ε", score: "score function", path: "reparameterisasi", one: "satu tarikan: simp. baku", mean_of: "rata-rata", truth: "gradien sebenarnya",
    ratio: (r) => `Untuk ketelitian yang sama, score function memerlukan sekitar ${r} kali lebih banyak tarikan.` },
};
const X = 2, NOISE = 0.6, DRAWS = 4000, LINES = 40;

const f = (z) => logNormal(z, 0, 1) + logNormal(X, z * z, NOISE);
const slope = (z) => -z - ((z * z - X) / NOISE ** 2) * 2 * z;

/** Both estimators of d/dμ E[f(μ + σε)], a number a draw. */
export function estimators(noise, mean, sd) {
  return { score: noise.map((e) => (f(mean + sd * e) * e) / sd), path: noise.map((e) => slope(mean + sd * e)) };
}

/** d/dμ E[f(μ + σε)] in closed form. */
export const truth = (m, s) => -m - (2 * (m ** 3 + 3 * m * s * s) - 2 * X * m) / NOISE ** 2;

const moments = (values) => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)];
};

export async function show(stage, language) {
  const text = TEXT[language];
  let seed = 1, noise = [];
  const width = breadth(stage);
  const state = { mean: 1.4, sd: 0.2 };
  const above = drawn("svg", { viewBox: `0 0 ${width} 150`, class: "plot", role: "img", "aria-label": text.z });
  const below = drawn("svg", { viewBox: `0 0 ${width} 210`, class: "plot", role: "img", "aria-label": `${text.score}, ${text.path}` });
  const said = element("p", { class: "said", "aria-live": "polite" });

  function draw() {
    const x = scale([-4, 4], [20, width - 20]);
    above.replaceChildren(axis(x, [-4, -2, 0, 2, 4], 24, width, ""), axis(x, [-4, -2, 0, 2, 4], 116, width, ""),
      drawn("text", { x: 20, y: 16, class: "small" }, text.noise), drawn("text", { x: 20, y: 108, class: "q-text" }, text.z));
    for (const e of noise.slice(0, LINES)) {
      const z = state.mean + state.sd * e;
      above.append(drawn("line", { x1: x(e), y1: 24, x2: x(z), y2: 116, class: "thread" }),
        drawn("circle", { cx: x(e), cy: 24, r: 3, class: "dot-quiet" }), drawn("circle", { cx: x(z), cy: 116, r: 3, class: "dot-q" }));
    }
    const found = estimators(noise, state.mean, state.sd), right = truth(state.mean, state.sd);
    const [m1, s1] = moments(found.score), [m2, s2] = moments(found.path);
    const reach = 3 * Math.max(s1, s2) + Math.abs(right), gx = scale([right - reach, right + reach], [20, width - 20]);
    below.replaceChildren();
    [[found.score, "p", 86, m1, s1, text.score], [found.path, "q", 186, m2, s2, text.path]].forEach(([values, kind, floor, mean, sd, name]) => {
      const bins = new Array(81).fill(0);
      for (const v of values) {
        const i = Math.floor(((v - right + reach) / (2 * reach)) * 81);
        if (i >= 0 && i < 81) bins[i]++;
      }
      const most = Math.max(...bins), wide = (width - 40) / 81;
      bins.forEach((n, i) => n && below.append(drawn("rect", { x: 20 + i * wide, y: floor - (64 * n) / most, width: wide - 0.5, height: (64 * n) / most, class: `hist-${kind}` })));
      below.append(drawn("line", { x1: 20, x2: width - 20, y1: floor, y2: floor, class: "rule" }),
        drawn("text", { x: 24, y: floor - 58, class: `${kind === "q" ? "q" : "posterior"}-text` }, name),
        drawn("text", { x: width - 24, y: floor - 58, "text-anchor": "end" }, `${width < 640 ? "" : `${text.mean_of} ${mean.toFixed(2)}, `}${text.one} ${sd.toFixed(2)}`));
    });
    below.append(drawn("line", { x1: gx(right), x2: gx(right), y1: 14, y2: 190, class: "bar-mark", "stroke-dasharray": "4 3" }),
      drawn("text", { x: gx(right), y: 205, "text-anchor": "middle", class: "small" }, `${text.truth} ${right.toFixed(3)}`));
    said.textContent = text.ratio(Math.max(1, Math.round((s1 / s2) ** 2)).toLocaleString(language));
  }

  function renew() {
    const next = normals(seed++);
    noise = Array.from({ length: DRAWS }, next);
    draw();
  }
  const mean = slider(text.mean, -2.5, 2.5, 0.05, state.mean, (v) => { state.mean = v; draw(); });
  const sd = slider(text.sd, 0.05, 1.5, 0.05, state.sd, (v) => { state.sd = v; draw(); });
  stage.append(above, below, element("div", { class: "controls" }, mean, sd, button(text.again, renew)), said);
  stage.api = { estimators, truth, moments };
  renew();
}
