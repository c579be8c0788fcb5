// Brings the moving figures of a page to life: each <div class="moving" data-figure="NAME"> is handed to NAME.js when it comes near.

const language = document.documentElement.lang.startsWith("id") ? "id" : "en";

async function bring(place) {
  const title = place.dataset.title ?? "";
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", title);
  const caption = document.createElement("p");
  caption.className = "moving-title";
  caption.textContent = title;
  const stage = document.createElement("div");
  stage.className = "moving-stage";
  place.replaceChildren(caption, stage);
  try {
    const figure = await import(`figures/${place.dataset.figure}`);
    await figure.show(stage, language);
    place.dataset.ready = "yes";
  } catch (error) {
    console.error(error);
    stage.textContent = language === "id" ? "Gambar ini tidak dapat ditampilkan." : "This figure cannot be shown.";
    place.dataset.ready = "failed";
  }
}

const near = new IntersectionObserver(
  (seen) => {
    for (const one of seen) {
      if (one.isIntersecting) {
        near.unobserve(one.target);
        bring(one.target);
      }
    }
  },
  { rootMargin: "600px" },
);
for (const place of document.querySelectorAll(".moving")) near.observe(place);
