// The network "asia": click states to make them evidence, and every posterior answers, by the sum over all joint states.

import { button, data, drawn, element } from "figures/parts";

const TEXT = {
  en: {
    clear: "Clear the evidence", none: "No evidence yet: these are the priors.", impossible: "This evidence is impossible: its probability is 0. Clear one of the states.",
    about: "Bayes' theorem for", prior: "prior", likelihood: "likelihood", joint: "joint", posterior: "posterior", sum: "sum",
    evidence: "evidence", names: { asia: "visit to Asia", smoke: "smokes", tub: "tuberculosis", lung: "lung cancer", bronc: "bronchitis", either: "tub or lung", xray: "X-ray positive", dysp: "short of breath" },
    pick: "Show the theorem for", states: { yes: "yes", no: "no" },
  },
  id: {
    clear: "Hapus semua bukti", none: "Belum ada bukti: ini adalah prior.", impossible: "Bukti ini mustahil: peluangnya 0. Hapus salah satu keadaan.",
    about: "Teorema Bayes untuk", prior: "prior", likelihood: "likelihood", joint: "joint", posterior: "posterior", sum: "jumlah",
    evidence: "bukti", names: { asia: "ke Asia", smoke: "merokok", tub: "tuberkulosis", lung: "kanker paru", bronc: "bronkitis", either: "tub atau lung", xray: "rontgen positif", dysp: "sesak napas" },
    pick: "Tampilkan teorema untuk", states: { yes: "ya", no: "tidak" },
  },
};

// rows of the drawing, and the middle of each card across, in hundredths
const PLACES = { asia: [0, 18], smoke: [0, 66], tub: [1, 18], lung: [1, 50], bronc: [1, 82], either: [2, 34], xray: [3, 26], dysp: [3, 70] };

/** Every joint state with its probability. */
export function joint(nodes) {
  const at = Object.fromEntries(nodes.map((node, i) => [node.name, i]));
  let states = [[[], 1]];
  for (const node of nodes) {
    const next = [];
    for (const [values, p] of states) {
      const row = node.parents.reduce((table, parent) => table[values[at[parent]]], node.table);
      node.states.forEach((_, k) => next.push([[...values, k], p * row[k]]));
    }
    states = next;
  }
  return states;
}

/** The probability of the evidence, and of each state of each node together with it. */
export function answers(nodes, states, evidence) {
  const sums = nodes.map((node) => node.states.map(() => 0));
  let total = 0;
  for (const [values, p] of states) {
    if (evidence.some((k, i) => k !== null && values[i] !== k)) continue;
    total += p;
    values.forEach((k, i) => (sums[i][k] += p));
  }
  return { total, sums };
}

export async function show(stage, language) {
  const text = TEXT[language], { nodes } = await data("asia"), states = joint(nodes);
  const evidence = nodes.map(() => null), name = (node) => text.names[node.name];
  const priors = answers(nodes, states, evidence).sums;
  let target = nodes.findIndex((node) => node.name === "lung");

  const board = element("div", { class: "asia-board" }), arrows = drawn("svg", { class: "asia-arrows", "aria-hidden": "true" });
  board.append(arrows);
  const cards = nodes.map((node, i) => {
    const [row, across] = PLACES[node.name];
    const bars = node.states.map((state, k) => {
      const bar = element("button", { type: "button", class: "asia-state", onclick: () => choose(i, k) },
        element("span", { class: "asia-fill" }), element("span", { class: "asia-label" }, text.states[state] ?? state), element("span", { class: "asia-value" }));
      return bar;
    });
    const card = element("div", { class: "asia-card", style: `left:${across}%;top:${row * 25 + 1}%` },
      element("div", { class: "asia-name" }, element("b", {}, node.name), element("small", {}, ` ${name(node)}`)), ...bars);
    board.append(card);
    return { card, bars };
  });
  const place_of = (name) => cards[nodes.findIndex((node) => node.name === name)].card;
  function connect() {
    arrows.replaceChildren(drawn("defs", {}, drawn("marker", { id: "asia-tip", viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 7, markerHeight: 7, orient: "auto" }, drawn("path", { d: "M0 0L10 5L0 10Z" }))));
    for (const node of nodes)
      for (const parent of node.parents) {
        const from = place_of(parent), to = place_of(node.name);
        arrows.append(drawn("line", { x1: from.offsetLeft, y1: from.offsetTop + from.offsetHeight, x2: to.offsetLeft, y2: to.offsetTop - 2, "marker-end": "url(#asia-tip)" }));
      }
  }
  new ResizeObserver(connect).observe(board);
  const said = element("p", { class: "said", "aria-live": "polite" }), theorem = element("div", { class: "theorem" });
  const select = element("select", { "aria-label": text.pick, onchange: () => { target = +select.value; update(); } },
    ...nodes.map((node, i) => element("option", { value: i, selected: i === target }, node.name)));

  function choose(i, k) {
    evidence[i] = evidence[i] === k ? null : k;
    if (answers(nodes, states, evidence).total <= 0) {
      evidence[i] = null;
      update();
      said.textContent = text.impossible;
      return;
    }
    update();
  }

  function update() {
    const found = answers(nodes, states, evidence);
    nodes.forEach((node, i) => node.states.forEach((state, k) => {
      const p = found.sums[i][k] / found.total, bar = cards[i].bars[k];
      bar.querySelector(".asia-fill").style.width = `${100 * p}%`;
      bar.querySelector(".asia-value").textContent = `${(100 * p).toFixed(1)} %`;
      bar.setAttribute("aria-pressed", String(evidence[i] === k));
      bar.setAttribute("aria-label", `${node.name} = ${state}: ${(100 * p).toFixed(1)} %`);
      bar.dataset.p = String(p);
      bar.dataset.node = node.name;
      bar.dataset.state = state;
    }));
    const seen = nodes.flatMap((node, i) => (evidence[i] === null ? [] : [`${node.name} = ${text.states[node.states[evidence[i]]]}`]));
    said.textContent = seen.length ? `P(${seen.join(", ")}) = ${found.total.toPrecision(6)}` : text.none;
    show_theorem(seen);
  }

  function show_theorem(seen) {
    const node = nodes[target], own = evidence[target];
    evidence[target] = null; // the theorem is about the other evidence
    const { total, sums } = answers(nodes, states, evidence);
    evidence[target] = own;
    const head = [node.name, text.prior, text.likelihood, text.joint, text.posterior];
    const rows = node.states.map((state, k) => {
      const prior = priors[target][k], both = sums[target][k];
      return [text.states[state] ?? state, prior, prior ? both / prior : 0, both, both / total];
    });
    const percent = (x) => (typeof x === "number" ? `${(100 * x).toFixed(2)} %` : x);
    theorem.replaceChildren(element("table", {},
      element("thead", {}, element("tr", {}, ...head.map((h) => element("th", { scope: "col" }, h)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((x) => element("td", {}, percent(x))))),
        element("tr", { class: "sum" }, ...[text.sum, 1, "", total, 1].map((x) => element("td", {}, percent(x)))))));
  }

  const clear = button(text.clear, () => { evidence.fill(null); update(); });
  stage.append(board, said, element("div", { class: "controls" }, clear, element("label", { class: "pick" }, `${text.about} `, select)), theorem);
  stage.api = { evidence, choose };
  update();
}
