// Network: the declaration as a diagram, as a list of nodes, and as Python; an edit of one is an edit of all. The server does every edit.
import { html, useEffect, useRef, useState } from "/static/vendor/preact-htm.js";
import { get, post } from "/static/api.js";
import { Busy, Code, Problem } from "/static/parts.js";

const RADIUS = 40, PAUSE = 500; // of a circle in the server's diagram; milliseconds without a key before text is read

export function Network({ t, state, setState, go }) {
  const [net, setNet] = useState(null), [error, setError] = useState(""), [busy, setBusy] = useState(true), [arrow, setArrow] = useState(null);
  const what = `${state.data?.name} ${state.data?.rows} ${state.model?.name} ${state.model?.bound}`;
  const show = (found) => { setNet(found); setError(""); setArrow(null); };
  const ask = (promise) => { setBusy(true); return promise.then((found) => { show(found); if (found.editable) setState((s) => ({ ...s, network: found.undo })); return found; }, (e) => { setError(e.message); throw e; }).finally(() => setBusy(false)); };
  const edit = (said) => ask(post("/api/network/edit", said)).catch(() => setNet((n) => ({ ...n })));
  const step = (name) => ask(post(`/api/network/${name}`)).catch(() => {});
  useEffect(() => { if (state.data || state.model) ask(get("/api/network")).catch(() => {}); }, [what]);
  useEffect(() => {
    const key = (e) => {
      if (!(e.ctrlKey || e.metaKey) || !["z", "y"].includes(e.key.toLowerCase()) || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) return;
      e.preventDefault(); step(e.key.toLowerCase() === "y" || e.shiftKey ? "redo" : "undo");
    };
    addEventListener("keydown", key); return () => removeEventListener("keydown", key);
  }, []);
  if (!state.data && !state.model) return html`<${Problem} text=${t.needData} />`;
  const select = (name) => { const card = document.getElementById(`node ${name}`); card?.scrollIntoView({ block: "nearest" }); card?.focus(); };
  return html`<h2>${t.network}</h2><p class="lead">${net && !net.editable ? t.netFixed : t.netLead}</p>
    ${net?.editable && html`<div class="row">
      <button class="plain" disabled=${!net.undo} onClick=${() => step("undo")}>↶ ${t.netUndo}</button><button class="plain" disabled=${!net.redo} onClick=${() => step("redo")}>↷ ${t.netRedo}</button>
      ${["latent", "classes", "layer"].map((kind) => html`<button class="plain" onClick=${() => edit({ do: "add", what: kind })}>+ ${t.netAdd[kind]}</button>`)}
      <button class="go" onClick=${() => go("train")}>${t.toTrain}</button><${Busy} ...${{ t, busy }} /></div>`}
    <div class="net-problem"><${Problem} text=${error || net?.problem} /></div>
    ${net && html`<div class="two net-two">
      <div class="panel"><div class="net-scroll" tabindex="0">${net.diagram ? html`<${Diagram} ...${{ t, net, edit, select, arrow, setArrow }} />` : html`<p>${net.problem ? "" : t.netMany}</p>`}</div>
        ${arrow && html`<p class="row" style=${{ margin: ".5rem 0 0" }}><b>${arrow[0]} → ${arrow[1]}</b><button class="plain" onClick=${() => edit({ do: "cut", from: arrow[0], to: arrow[1] })}>${t.netCut}</button></p>`}
        <p class="muted" style=${{ margin: ".5rem 0 0" }}><code>${net.factors}</code>${net.weights != null && ` · ${net.weights.toLocaleString(document.documentElement.lang)} ${t.netWeights}`}</p>
        ${net.editable && html`<p class="muted" style=${{ margin: ".2rem 0 0" }}>${t.netDrag}</p>`}</div>
      <${Text} ...${{ t, net, show, setState }} /></div>
      ${net.editable && html`<${Proposal} ...${{ t, net, edit, model: state.model }} /><h3>${t.netNodes}</h3>
      ${net.childless.length > 0 && html`<p class="warn">${t.netChildless} ${net.childless.join(", ")}</p>`}
      ${net.aside.length > 0 && html`<div class="panel chips"><b>${t.netAside}</b>${net.aside.map((c) => html`<button class="chip" onClick=${() => edit({ do: "split", column: c })}>+ ${c}</button>`)}</div>`}
      <div class="grid net-grid">${net.nodes.map((node) => html`<${Card} key=${node.name} ...${{ t, net, node, edit }} />`)}</div>`}`}`;
}

function Diagram({ t, net, edit, select, arrow, setArrow }) {
  const svg = useRef(null), [drag, setDrag] = useState(null);
  const { nodes, arrows, width, height } = net.diagram;
  const at = (e) => { const p = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.current.getScreenCTM().inverse()); return [p.x, p.y]; };
  const under = ([x, y]) => nodes.find((n) => Math.hypot(n.x - x, n.y - y) <= RADIUS + 4);
  const begin = (e, node) => { if (!net.editable) return; e.preventDefault(); svg.current.setPointerCapture(e.pointerId); setDrag({ from: node, to: at(e) }); };
  const end = (e) => {
    if (!drag) return;
    const node = under(at(e)); setDrag(null);
    if (node && node.name !== drag.from.name) edit({ do: "connect", from: drag.from.name, to: node.name });
    else if (node) select(node.name);
  };
  const over = drag && under(drag.to);
  const size = (name) => Math.max(11, Math.min(20, 64 / (0.52 * name.length)));
  return html`<svg ref=${svg} class="net" viewBox=${`0 0 ${width} ${height}`} style=${{ minWidth: `${0.6 * width}px`, maxWidth: `${width}px` }} role="img" aria-label=${net.factors} onPointerMove=${(e) => drag && setDrag({ ...drag, to: at(e) })} onPointerUp=${end} onPointerCancel=${() => setDrag(null)}>
    <rect class="plate" x="14" y="14" width=${width - 28} height=${height - 28} rx="10" /><text class="rows" x=${width - 24} y=${height - 24} text-anchor="end">${t.rows}</text>
    ${arrows.map((a) => html`<g class=${`arrow ${arrow && arrow[0] === a.from && arrow[1] === a.to ? "chosen" : ""}`} onClick=${() => net.editable && setArrow([a.from, a.to])}><title>${a.from} → ${a.to}</title><path class="hit" d=${a.line} /><path class="stem" d=${a.line} /><path class="head" d=${a.head} /></g>`)}
    ${nodes.map((n) => { const top = n.y - (11 * n.lines.length + 0.5 * size(n.name)) / 2 + 0.5 * size(n.name) - 1.5; return html`<g class=${`node ${n.kind} ${over?.name === n.name ? "over" : ""}`} onPointerDown=${(e) => begin(e, n)}><title>${n.name}: ${n.lines.join(" ")}</title>
      <circle cx=${n.x} cy=${n.y} r=${RADIUS} />${n.kind === "layer" && html`<circle class="ring" cx=${n.x} cy=${n.y} r=${RADIUS - 4} />`}
      <text class="name" x=${n.x} y=${top} style=${{ fontSize: `${size(n.name)}px` }} text-anchor="middle">${n.name.length > 11 ? `${n.name.slice(0, 10)}…` : n.name}</text>
      ${n.lines.map((line, i) => html`<text x=${n.x} y=${top + 14 + 11 * i} style=${{ fontSize: `${Math.min(10, 66 / (0.56 * line.length))}px` }} text-anchor="middle">${line}</text>`)}</g>`; })}
    ${drag && html`<path class="stem new" d=${`M${drag.from.x} ${drag.from.y}L${drag.to[0]} ${drag.to[1]}`} />`}
  </svg>`;
}

function Text({ t, net, show, setState }) {
  const [text, setText] = useState(net.python), [error, setError] = useState(""), turn = useRef(0), timer = useRef(0), own = useRef(net.python);
  useEffect(() => { if (net.python !== own.current) { own.current = net.python; setText(net.python); setError(""); } }, [net.python]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const send = (value, whole) => {
    clearTimeout(timer.current);
    return post("/api/network/text", { text: value, typing: turn.current }).then((found) => { setError(""); own.current = found.python; if (whole) setText(found.python); show(found); setState((s) => ({ ...s, network: found.undo })); }, (e) => setError(e.message));
  };
  const type = (value) => { setText(value); clearTimeout(timer.current); timer.current = setTimeout(() => send(value, false), PAUSE); };
  const rows = Math.min(30, Math.max(8, text.split("\n").length + 1));
  return html`<div class="panel"><label class="field net-label">${net.editable ? t.netPython : t.netReads}<textarea class="code" spellcheck="false" rows=${rows} readonly=${!net.editable} value=${text} aria-invalid=${!!error}
      onFocus=${() => { turn.current = Date.now() % 1e9; }} onInput=${(e) => type(e.target.value)} onBlur=${() => net.editable && text !== net.python && send(text, true)}
      onKeyDown=${(e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); send(text, true); } }}></textarea></label>
    <${Problem} text=${error} />${net.code && html`<${Code} ...${{ t, code: net.code }} />`}</div>`;
}

function Proposal({ t, net, edit, model }) {
  const [asked, setAsked] = useState({ latent: 16, width: "", prior: "mixture", numbers: "cells" });
  const field = (name) => html`<label class="field">${t.net[name]}<input type="number" min="1" max="100000" placeholder=${t.net.auto} value=${asked[name]} onInput=${(e) => setAsked({ ...asked, [name]: e.target.value })} /></label>`;
  const menu = (name, options) => html`<label class="field">${t.net[name]}<select value=${asked[name]} onChange=${(e) => setAsked({ ...asked, [name]: e.target.value })}>${options.map((o) => html`<option value=${o} selected=${o === asked[name]}>${t.net[o]}</option>`)}</select></label>`;
  const propose = (e) => { e.preventDefault(); edit({ do: "propose", ...(net.table ? { prior: asked.prior, numbers: asked.numbers } : {}), ...Object.fromEntries(["latent", "width"].filter((n) => asked[n] !== "").map((n) => [n, +asked[n]])) }); };
  return html`<form class="row panel net-proposal" onSubmit=${propose}><b>${t.netStart}</b>${field("latent")}${field("width")}${net.table && menu("prior", ["mixture", "standard"])}${net.table && menu("numbers", ["cells", "normal"])}<button class="plain">${t.netPropose}</button>${model && model.form !== "exact" && html`<button type="button" class="plain" onClick=${() => edit({ do: "model" })}>${t.netModel}</button>`}</form>`;
}

function Card({ t, net, node, edit }) {
  const say = (what, more) => edit({ do: what, node: node.name, ...more });
  const number = (label, value, most, tell) => html`<label class="field">${label}<input type="number" min="1" max=${most} value=${value} onChange=${(e) => e.target.value !== "" && tell(+e.target.value)} /></label>`;
  const others = net.nodes.filter((n) => n.name !== node.name && (node.parents.includes(n.name) || n.role !== "observed" || node.role === "observed"));
  const nets = ["Linear", "MLP", "ResMLP"].includes(node.net.kind) ? ["Linear", "MLP", "ResMLP"] : [node.net.kind, "Linear", "MLP", "ResMLP"];
  return html`<section class="card net-card" id=${`node ${node.name}`} tabindex="-1" aria-label=${node.name}>
    <div class="net-head"><label class="field">${t.netRole[node.role]}<input type="text" value=${node.name} onChange=${(e) => say("rename", { name: e.target.value })} /></label><button class="plain" aria-label=${`${t.netRemove} ${node.name}`} title=${t.netRemove} onClick=${() => say("remove")}>✕</button></div>
    <div class="net-fields"><label class="field">${t.netFamily}<select value=${node.family} disabled=${node.families.length < 2} onChange=${(e) => say("family", { family: e.target.value })}>${node.families.map((f) => html`<option value=${f.text} selected=${f.text === node.family}>${t.netFamilies[f.label] ?? f.label}</option>`)}</select></label>
      ${Object.entries(node.sizes).map(([what, value]) => number(t.netSizes[what], value, 100000, (n) => say("size", { what, size: n })))}</div>
    <fieldset><legend>${t.netParents}</legend>${others.length ? others.map((n) => html`<label class="net-check"><input type="checkbox" checked=${node.parents.includes(n.name)} onChange=${(e) => { const on = e.target.checked; e.target.checked = node.parents.includes(n.name); edit({ do: on ? "connect" : "cut", from: n.name, to: node.name }); }} />${n.name}</label>`) : html`<span class="muted">${t.none}</span>`}</fieldset>
    ${node.parents.length > 0 && html`<div class="net-fields"><label class="field">${t.netNet}<select value=${node.net.kind} onChange=${(e) => say("net", { net: e.target.value })}>${nets.map((n) => html`<option value=${n} selected=${n === node.net.kind}>${t.netNets[n] ?? n}</option>`)}</select></label>
      ${["width", "depth"].filter((n) => node.net[n] != null).map((n) => number(t.netSizes[n], node.net[n], n === "depth" ? 64 : 100000, (v) => say("net", { net: node.net.kind, [n]: v })))}</div>`}
    ${node.columns.length > 0 && html`<details><summary>${node.columns.length < 4 ? node.columns.join(", ") : `${node.columns.slice(0, 3).join(", ")} … (${node.columns.length})`}</summary><ul class="net-columns">${node.columns.map((c) => html`<li><span>${c}</span>${node.columns.length > 1 && html`<button class="plain" aria-label=${`${c}: ${t.netOwn}`} onClick=${() => edit({ do: "split", column: c })}>${t.netOwn}</button>`}</li>`)}</ul>
      ${node.kin.length > 0 && html`<label class="field">${t.netMerge}<select value="" onChange=${(e) => e.target.value && say("merge", { into: e.target.value })}><option value="">…</option>${node.kin.map((n) => html`<option value=${n}>${n}</option>`)}</select></label>`}</details>`}
  </section>`;
}
