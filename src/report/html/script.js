"use strict";
const form = document.getElementById("filters");
const articles = [...document.querySelectorAll("article")];
const shown = document.getElementById("shown");
const none = document.getElementById("none");

function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  const text = wanted.text.toLowerCase();
  let count = 0;
  for (const article of articles) {
    const fits = ["level", "rule", "file"].every((key) => !wanted[key] || article.dataset[key] === wanted[key]);
    article.hidden = !fits || (text !== "" && !article.textContent.toLowerCase().includes(text));
    count += article.hidden ? 0 : 1;
  }
  shown.textContent = count === articles.length ? "" : `${count} of ${articles.length} shown`;
  none.hidden = count > 0;
}

form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
filter();
