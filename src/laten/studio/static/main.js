// The frame of the page: which page is shown, in which language, and the state of the server.
import { html, render, useState, useEffect } from "/static/vendor/preact-htm.js";
import { get, follow } from "/static/api.js";
import { useUndo } from "/static/parts.js";
import { STEPS, Tour } from "/static/tour.js";
import { LANGUAGES } from "/static/text.js";
import { Data } from "/static/data.js";
import { Network } from "/static/network.js";
import { Train } from "/static/train.js";
import { Ask } from "/static/ask.js";
import { LatentMap } from "/static/map.js";
import { Fill } from "/static/fill.js";
import { Odd } from "/static/odd.js";
import { speak } from "/static/said.js";
import { Synthetic } from "/static/tables.js";
import { Audit, Compare } from "/static/models.js";

const PAGES = { data: Data, network: Network, train: Train, ask: Ask, map: LatentMap, fill: Fill, odd: Odd, synthetic: Synthetic, compare: Compare, audit: Audit };
const kept = (name, otherwise) => localStorage.getItem(`laten ${name}`) ?? otherwise;
const keep = (name, value) => localStorage.setItem(`laten ${name}`, value);
const choose = (name, set, value) => { keep(name, value); set(value); };

function Studio() {
  const [state, setState] = useState(null);
  const [page, setPage] = useState(location.hash.slice(1) in PAGES ? location.hash.slice(1) : "data");
  const [language, setLanguage] = useState(kept("language", navigator.language.startsWith("id") ? "id" : "en"));
  const [theme, setTheme] = useState(kept("theme", matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  const [evidence, replace] = useState({}), [before, setBefore] = useState([]);
  const setEvidence = (next) => { setBefore((past) => [...past.slice(-99), evidence]); replace(next); };
  const undo = before.length > 0 && (() => { replace(before[before.length - 1]); setBefore(before.slice(0, -1)); });
  const [error, setError] = useState(""), [step, setTourStep] = useState(kept("toured", "") ? null : 0), [asked, setAsked] = useState(false);
  const setStep = (next) => { if (next == null) { keep("toured", "yes"); if (asked) document.querySelector(".tools .help")?.focus(); setAsked(false); } setTourStep(next); };
  const t = LANGUAGES[language];
  speak(language);
  document.documentElement.dataset.theme = theme; // now: what is drawn below reads its colours
  useEffect(() => { document.documentElement.lang = language; }, [language]);
  useEffect(() => { get("/api/state").then((s) => { setState(s); if (s.model && !location.hash) setPage("ask"); }, (e) => setError(e.message)); }, []);
  useEffect(() => { const back = () => location.hash.slice(1) in PAGES && setPage(location.hash.slice(1)); addEventListener("hashchange", back); return () => removeEventListener("hashchange", back); }, []);
  const running = state?.training?.running;
  useEffect(() => (running ? follow(setState) : undefined), [running]);
  const go = (name) => { location.hash = name; setPage(name); document.querySelector("main")?.focus(); };
  const model = state?.model;
  useEffect(() => { document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }); }, [page, state === null]);
  useUndo(page === "ask" && undo, [page, before]);
  useEffect(() => { replace({}); setBefore([]); }, [model?.name, model?.bound, model?.factors]);
  if (!state) return html`<p class="wait">${error || "laten studio …"}</p>`;
  const Page = PAGES[page];
  return html`
    <header>
      <h1><span>laten</span> studio</h1>
      <div class="about">${state.data ? html`<b>${state.data.name}</b> · ${state.data.rows.toLocaleString(language)} ${state.data.form === "images" ? t.images : `${t.rows} × ${state.data.columns} ${t.columns}`}` : t.noData}
        ${" · "}${model ? html`<b>${model.name}</b>` : t.noModel}</div>
      <div class="tools">
        <button class="plain" lang=${language === "en" ? "id" : "en"} onClick=${() => choose("language", setLanguage, language === "en" ? "id" : "en")}>${t.language}</button>
        <button class="plain help" aria-label=${t.tourName} title=${t.tourName} onClick=${() => { setStep(0); setAsked(true); }}>?</button>
        <button class="plain" aria-label=${t.theme} title=${t.theme} onClick=${() => choose("theme", setTheme, theme === "dark" ? "light" : "dark")}>${theme === "dark" ? "☀" : "☾"}</button>
      </div>
    </header>
    <nav aria-label="laten">${Object.keys(PAGES).map((name) => html`<button class=${step != null && STEPS[step] === name ? "pointed" : ""} aria-current=${name === page ? "page" : null} onClick=${() => go(name)}>${t[name]}</button>`)}</nav>
    <main tabindex="-1">${html`<${Page} key=${page} ...${{ t, state, setState, go, evidence, setEvidence, undo, language, theme }} />`}</main>
    ${step != null && html`<${Tour} ...${{ t, step, setStep, asked }} />`}`;
}

render(html`<${Studio} />`, document.getElementById("studio"));
document.querySelector(".wait")?.closest("#studio > .wait")?.remove();
