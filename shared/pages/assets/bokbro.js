// Refreshes and confirms; without it every action works too.
"use strict";

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
  }
});

// A part of a page that changes by itself says how often to look, in seconds: <section id="x" data-refresh="5">.
for (const part of document.querySelectorAll("[data-refresh]")) {
  const seconds = Number(part.dataset.refresh);
  const look = async () => {
    if (document.hidden || part.contains(document.activeElement)) {
      return;
    }
    const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
    if (!answer || !answer.ok || answer.redirected) {
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(part.id);
    if (!fresh) {
      return;
    }
    if (fresh.innerHTML !== part.innerHTML) {
      part.replaceChildren(...fresh.childNodes);
    }
    if (!fresh.dataset.refresh) {
      clearInterval(timer);
    }
  };
  const timer = setInterval(look, seconds * 1000);
}
