// Keys for what has a button or a link on the page, and parts that are loaded after it. Without this file every page works the same, with the pointer.
"use strict";

(() => {
  const TEXT = "input:not([type=checkbox]):not([type=hidden]), textarea, select, [contenteditable]";
  let isLeaving = false; // A key judges one case: once a form was sent, further keys do nothing.

  document.addEventListener("submit", () => { isLeaving = true; });
  window.addEventListener("pageshow", () => { isLeaving = false; });

  const rows = () => [...document.querySelectorAll("[data-row]")];

  const move = (step) => {
    const all = rows();
    if (all.length === 0) return;
    const at = all.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
    all[next].focus();
  };

  // A part of a page that takes longer: its link leads to the page that has it, and here the part comes by itself. With data-every, so many
  // seconds later, and again and again until the part has no such link any more.
  const load = (link) => {
    const part = document.getElementById(link.dataset.load);
    part.setAttribute("aria-busy", "true");
    fetch(link.href)
      .then((answer) => (answer.ok && !answer.redirected ? answer.text() : Promise.reject(new Error(answer.statusText))))
      .then((text) => {
        const loaded = new DOMParser().parseFromString(text, "text/html").getElementById(part.id);
        if (!loaded) return;
        const hadFocus = part.contains(document.activeElement);
        part.replaceChildren(...loaded.childNodes);
        if (hadFocus) part.querySelector("a, button")?.focus();
        part.querySelectorAll("a[data-load][data-every]").forEach(wait);
      })
      .catch(() => { if (link.dataset.every) wait(link); }) // the link stays
      .finally(() => part.removeAttribute("aria-busy"));
  };
  const wait = (link) => setTimeout(() => (document.hidden ? wait(link) : load(link)), 1000 * link.dataset.every);
  for (const link of document.querySelectorAll("a[data-load]")) (link.dataset.every ? wait : load)(link);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target instanceof Element && event.target.closest(TEXT)) return;
    if (event.key === "j") { move(1); event.preventDefault(); return; }
    if (event.key === "k") { move(-1); event.preventDefault(); return; }
    if (event.repeat || isLeaving) return;
    if (event.key === "?") {
      const keys = document.querySelector("#keys");
      if (keys) { keys.open = !keys.open; keys.querySelector("summary").focus(); }
      event.preventDefault();
      return;
    }
    const wanted = [...document.querySelectorAll("[aria-keyshortcuts]")].filter(
      (each) => each.getAttribute("aria-keyshortcuts") === event.key,
    );
    if (wanted.length === 1) { event.preventDefault(); wanted[0].click(); }
  });
})();
