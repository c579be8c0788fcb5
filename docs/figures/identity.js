// log p(x) = KL + ELBO: a posterior with two peaks, a normal q to drag, and a bar of two colours that never changes length.

import { axis, breadth, button, drawn, element, logNormal, path, scale, slider, still } from "figures/parts";

const TEXT = {
  en: {
    mean: "mean of q", sd: "width of q", climb: "Climb the ELBO", stop: "Stop", turn: "Turn the KL round",
    back: "Turn it back", posterior: "posterior p(z | x)", q: "q(z)",
    forward: "Now minimising KL(q ‖ p): one peak is enough.", reverse: "Now minimising KL(p ‖ q): q must cover both peaks.",
    drag: "Drag in the plot: left and right moves the mean, up and down the width.",
  },
  id: {
    mean: "rata-rata q", sd: "lebar q", climb: "Naikkan ELBO", stop: "Berhenti", turn: "Balik arah KL",
    back: "Kembalikan", posterior: "posterior p(z | x)", q: "q(z)",
    forward: "Kini KL(q ‖ p) diperkecil: satu puncak sudah cukup.", reverse: "Kini KL(p ‖ q) diperkecil: q harus menutupi kedua puncak.",
    drag: "Seret di dalam gambar: ke kiri dan kanan menggeser rata-rata, ke atas dan bawah mengubah lebar.",
  },
};

const X = 2, NOISE = 0.6, FROM = -12, TO = 12, CELLS = 12000, CELL = (TO - FROM) / CELLS;
const grid = Float64Array.from({ length: CELLS + 1 }, (_, i) => FROM + i * CELL);
const logJoint = grid.map((z) => logNormal(z, 0, 1) + logNormal(X, z * z, NOISE));

/** Simpson's rule over the grid. */
function integral(values) {
  let sum = values[0] + values[CELLS];
  for (let i = 1; i < CELLS; i++) sum += values[i] * (i % 2 ? 4 : 2);
  return (sum * CELL) / 3;
}

export const logEvidence = Math.log(integral(logJoint.map(Math.exp)));
const logPosterior = logJoint.map((x) => x - logEvidence);

/** ELBO and both KLs of q = N(mean, sd), in nats; ELBO and KL are two separate integrals. */
export function parts(mean, sd) {
  const logQ = grid.map((z) => logNormal(z, mean, sd));
  const q = logQ.map(Math.exp);
  return {
    elbo: integral(q.map((p, i) => p * (logJoint[i] - logQ[i]))),
    kl: integral(q.map((p, i) => p * (logQ[i] - logPosterior[i]))),
    reverse: integral(logPosterior.map((lp, i) => Math.exp(lp) * (lp - logQ[i]))),
  };
}

export async function show(stage, language) {
  const text = TEXT[language];
  const width = breadth(stage), height = 250, floor = 215;
  const x = scale([-3, 3], [20, width - 20]), y = scale([0, 2.2], [floor, 12]);
  const state = { mean: 0, sd: 1, reversed: false, running: 0 };

  const curve = drawn("path", { class: "q-line" });
  const posterior = path(Array.from({ length: 301 }, (_, i) => {
    const z = -3 + i * 0.02;
    return [x(z), y(Math.exp(logNormal(z, 0, 1) + logNormal(X, z * z, NOISE) - logEvidence))];
  }));
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "plot", "aria-label": text.drag });
  svg.append(
    drawn("path", { d: `${posterior}L${x(3)} ${floor}L${x(-3)} ${floor}Z`, class: "posterior-fill" }),
    curve, axis(x, [-3, -2, -1, 0, 1, 2, 3], floor, width - 4, "z"),
    drawn("text", { x: width - 20, y: 34, "text-anchor": "end", class: "posterior-text" }, text.posterior),
    drawn("text", { x: x(-2.9), y: 34, class: "q-text" }, text.q),
  );

  const bar = drawn("svg", { viewBox: `0 0 ${width} 96`, class: "plot", role: "img", "aria-label": "log p(x) = KL + ELBO" });
  const numbers = element("p", { class: "numbers", "aria-live": "polite" });
  const said = element("p", { class: "said" });
  const mean = slider(text.mean, -3, 3, 0.01, state.mean, (v) => change({ mean: v }));
  const sd = slider(text.sd, 0.05, 2, 0.01, state.sd, (v) => change({ sd: v }));

  function change(what) {
    Object.assign(state, what);
    const found = parts(state.mean, state.sd);
    curve.setAttribute("d", path(Array.from({ length: 601 }, (_, i) => {
      const z = -3 + i * 0.01;
      return [x(z), y(Math.min(Math.exp(logNormal(z, state.mean, state.sd)), 8))];
    })));
    // the bar: from the ELBO up to log p(x), which stands still
    const along = scale([-12, 0], [20, width - 20]);
    const end = along(logEvidence), start = Math.max(along(found.elbo), 20), zero = along(0);
    bar.replaceChildren(
      drawn("rect", { x: end, y: 30, width: zero - end, height: 26, class: "bar-evidence" }),
      drawn("rect", { x: start, y: 30, width: Math.max(end - start, 0), height: 26, class: "bar-kl" }),
      drawn("line", { x1: end, x2: end, y1: 22, y2: 64, class: "bar-mark" }),
      drawn("line", { x1: start, x2: start, y1: 58, y2: 72, class: "bar-elbo" }),
      drawn("text", { x: end, y: 16, "text-anchor": "middle" }, `log p(x) = ${logEvidence.toFixed(4)}`),
      drawn("text", { x: Math.min(Math.max(start, 60), width - 60), y: 88, "text-anchor": "middle" }, `ELBO = ${found.elbo.toFixed(4)}`),
      drawn("text", { x: zero - 4, y: 48, "text-anchor": "end", class: "small" }, "0"),
    );
    if (end - start > 60) bar.append(drawn("text", { x: (start + end) / 2, y: 48, "text-anchor": "middle", class: "on-colour" }, "KL"));
    numbers.textContent =
      `KL ${found.kl.toFixed(4)}  +  ELBO ${found.elbo.toFixed(4)}  =  ${(found.kl + found.elbo).toFixed(4)}` +
      (state.reversed ? `     KL(p ‖ q) ${found.reverse.toFixed(4)}` : "");
    stage.dataset.sum = String(found.kl + found.elbo);
    stage.dataset.evidence = String(logEvidence);
    mean.set(state.mean);
    sd.set(state.sd);
  }

  function aim(m, logSd) {
    const found = parts(m, Math.exp(logSd));
    return state.reversed ? found.reverse : -found.elbo;
  }

  function step() {
    const h = 1e-3, m = state.mean, l = Math.log(state.sd);
    const dm = (aim(m + h, l) - aim(m - h, l)) / (2 * h), dl = (aim(m, l + h) - aim(m, l - h)) / (2 * h);
    const size = 0.06 / (1 + 0.15 * Math.hypot(dm, dl));
    const nudge = Math.abs(m) < 1e-6 && !state.reversed ? 1e-3 : 0; // q is as well off on either side: fall to one
    change({ mean: clamp(m - size * dm + nudge, -3, 3), sd: Math.exp(clamp(l - size * dl, Math.log(0.05), Math.log(2))) });
    return Math.hypot(dm, dl);
  }

  function run() {
    if (state.running) return halt();
    climb.textContent = text.stop;
    if (still()) {
      for (let i = 0; i < 400 && step() > 1e-4; i++);
      return halt();
    }
    const frame = () => {
      if (!state.running) return;
      if (step() < 1e-4) return halt();
      state.running = requestAnimationFrame(frame);
    };
    state.running = requestAnimationFrame(frame);
  }

  function halt() {
    cancelAnimationFrame(state.running);
    state.running = 0;
    climb.textContent = text.climb;
  }

  const climb = button(text.climb, run);
  const turn = button(text.turn, () => {
    state.reversed = !state.reversed;
    turn.textContent = state.reversed ? text.back : text.turn;
    said.textContent = state.reversed ? text.reverse : text.forward;
    change({});
  });

  const drag = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = svg.getBoundingClientRect();
    const z = x.back(((event.clientX - box.left) / box.width) * width);
    const high = Math.max(y.back(((event.clientY - box.top) / box.height) * height), 0.18);
    change({ mean: clamp(z, -3, 3), sd: clamp(1 / (high * Math.sqrt(2 * Math.PI)), 0.05, 2) });
  };
  svg.addEventListener("pointerdown", (event) => { svg.setPointerCapture(event.pointerId); halt(); drag(event); });
  svg.addEventListener("pointermove", drag);

  stage.append(svg, bar, numbers, element("div", { class: "controls" }, mean, sd, climb, turn), said, element("p", { class: "hint" }, text.drag));
  stage.api = { change, parts, step };
  change({});
}

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
