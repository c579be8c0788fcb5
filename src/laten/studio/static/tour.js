// A tour of six steps: shown on the first visit, and whenever it is asked for. It points at a page's button and blocks nothing.
import { html, useEffect, useRef } from "/static/vendor/preact-htm.js";

export const STEPS = ["data", "train", "ask", "map", "fill", "compare"]; // the page that each step points at

export function Tour({ t, step, setStep, asked }) {
  const box = useRef(null), last = step === STEPS.length - 1, [title, text] = t.tour[step];
  useEffect(() => { if (asked) box.current?.querySelector(".go").focus(); }, [asked]);
  useEffect(() => { document.querySelector("nav .pointed")?.scrollIntoView({ block: "nearest", inline: "center" }); }, [step]);
  const end = () => setStep(null);
  return html`<aside class="tour" ref=${box} role="dialog" aria-label=${t.tourName} aria-describedby="tour-text" onKeyDown=${(e) => e.key === "Escape" && end()}>
    <p class="muted">${t.tourName} · ${step + 1} / ${STEPS.length}</p><h2>${title}</h2><p id="tour-text" aria-live="polite">${text}</p>
    <div class="row">${step > 0 && html`<button class="plain" onClick=${() => setStep(step - 1)}>${t.back}</button>`}<button class="go" onClick=${() => (last ? end() : setStep(step + 1))}>${last ? t.tourEnd : t.next}</button>${!last && html`<button class="plain" onClick=${end}>${t.skip}</button>`}</div></aside>`;
}
