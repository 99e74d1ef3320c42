// Answers on their way: what is typed and left unsaved is sent to the server, which offers it when
// one comes back. The browser keeps nothing.
"use strict";

{
  const mark = document.querySelector("[data-autosave]");
  const form = mark?.closest("form");
  const offer = document.getElementById("unsaved");

  // Back to the form by the button of the browser: the answers are wanted.
  const [way] = performance.getEntriesByType("navigation");
  if (offer && way?.type === "back_forward") offer.requestSubmit(offer.querySelector("[data-take]"));
  offer?.querySelector("[data-discard]").addEventListener("click", ({ target }) => {
    const body = new FormData(offer);
    body.delete("_kept");
    body.append("_discard", target.dataset.discard);
    navigator.sendBeacon(mark.dataset.autosave, new URLSearchParams(body));
    offer.remove();
  });

  if (form) {
    // Only what was answered: a page of five hundred implants would be too long for a beacon.
    const answers = () => new URLSearchParams([...new FormData(form)].filter(([, given]) => given)).toString();
    const refused = form.querySelector(".errorlist") !== null;
    let last = refused ? "" : null;
    let saving = false;
    const send = () => {
      const now = answers();
      if (saving || last === null || now === last) return;
      last = now;
      const body = new URLSearchParams(now);
      body.append("_at", mark.dataset.at);
      navigator.sendBeacon(mark.dataset.autosave, body);
    };
    // Lists and other scripts fill in the form first; what it says then is what was stored.
    window.addEventListener("load", () => setTimeout(() => { last ??= answers(); }));
    let waiting;
    const later = () => { clearTimeout(waiting); waiting = setTimeout(send, 10_000); };
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    document.addEventListener("submit", (event) => {
      if (event.target === form && !event.defaultPrevented) { saving = true; clearTimeout(waiting); }
    });
    window.addEventListener("pageshow", () => { saving = false; });
    window.addEventListener("pagehide", send);
  }
}
