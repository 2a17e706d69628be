"use strict";
{
  const form = document.getElementById("filters");
  const articles = [...document.querySelectorAll("article")];
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  const KEYS = ["level", "rule", "file", "text"];
  const texts = new Map();

  function textOf(article) {
    if (!texts.has(article)) texts.set(article, article.textContent.toLowerCase());
    return texts.get(article);
  }

  function filter() {
    const wanted = Object.fromEntries(new FormData(form));
    const text = wanted.text.toLowerCase();
    let count = 0;
    for (const article of articles) {
      const fits = ["level", "rule", "file"].every((key) => !wanted[key] || article.dataset[key] === wanted[key]);
      const show = fits && (text === "" || textOf(article).includes(text));
      if (article.hidden === show) article.hidden = !show;
      count += show ? 1 : 0;
    }
    shown.textContent = count === articles.length ? "" : `${count} of ${articles.length} shown`;
    none.hidden = count > 0;
  }

  // What the address asks for: #level=error&rule=…&file=…&text=…, so that a filter can be handed on.
  function preset() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    if (!KEYS.some((key) => wanted.has(key))) return;
    KEYS.forEach((key) => { form.elements[key].value = wanted.get(key) ?? ""; });
    filter();
  }

  function remember() {
    const set = [...new FormData(form)].filter(([, value]) => value !== "");
    history.replaceState(null, "", set.length > 0 ? `#${new URLSearchParams(set)}` : location.pathname + location.search);
  }

  // "/" searches, "j" and "k" go to the next and the last finding.
  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, #graph")) return;
    if (event.key === "/") {
      event.preventDefault();
      form.elements.text.focus();
    }
    const step = { j: 1, k: -1 }[event.key];
    if (step === undefined) return;
    const visible = articles.filter((article) => !article.hidden);
    const now = visible.indexOf(document.activeElement?.closest("article"));
    const next = visible[now < 0 ? 0 : now + step];
    next?.focus();
    next?.scrollIntoView({ block: "start" });
  }

  form.addEventListener("input", () => {
    filter();
    remember();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", preset);
  document.addEventListener("keydown", keys);
  filter();
  preset();
}
