// The form of an event: shows what matters, checks months as soon as they can be, and warns
// before unsaved answers are lost. The server holds every rule; without this file all is shown.
"use strict";

window.django?.jQuery?.(() => {
  const $ = window.django.jQuery;
  const form = document.getElementById("event_form");
  if (!form?.querySelector("#id_complication")) return;

  const field = (name) => form.elements.namedItem(name);
  const rowOf = (element) => element.closest(".form-row");
  const chosen = (name) => field(name)?.selectedOptions?.[0]?.dataset ?? {};
  const value = (name) => field(name)?.value ?? "";
  const wholeNumber = (text) => (/^\d{1,4}$/.test(text.trim()) ? Number(text) : null);

  // Searched lists: offer what fits the event on the screen, and keep what is told with a row.
  const fitting = {
    id_complication: () => ({}),
    id_implant: () => ({
      site: value("site"), component: chosen("complication").clock, caused_by: value("caused_by"),
    }),
    id_caused_by: () => ({ site: value("site"), implant: value("implant") }),
  };
  for (const [id, more] of Object.entries(fitting)) {
    const list = $(document.getElementById(id));
    const headers = { "X-CSRFToken": value("csrfmiddlewaretoken") };
    list.select2({ ajax: { headers, data: ({ term, page }) => ({ term, page, ...more() }) } });
    list.on("select2:select", ({ params: { data } }) => {
      const { id: _id, text, selected, disabled, element, _resultId, ...about } = data;
      Object.assign(list[0].selectedOptions[0].dataset, about);
      refresh();
    });
    list.on("change", refresh);
  }

  // What the chosen complication means, beside the field.
  const about = note("complication", "about");
  function describe() {
    const { definition, examples } = chosen("complication");
    about.replaceChildren();
    if (!definition) return;
    about.append(paragraph(definition));
    if (examples) about.append(paragraph(`For example: ${examples}.`));
  }

  // What a query asks about is shown, and its section open until the query is answered.
  const queries = [...document.querySelectorAll("[data-asks]")];
  const fieldOf = ({ dataset }) => `.field-${dataset.asks}`;
  const unanswered = queries.filter(({ dataset }) => !("answered" in dataset)).map(fieldOf);
  const isAsked = (row) => queries.some((query) => row.matches(fieldOf(query)));

  // Questions that matter for this event. An answer that was given is never out of sight.
  let everything = false;
  const showAll = document.createElement("button");
  showAll.type = "button";
  showAll.className = "button show-all";
  showAll.textContent = "Show every question";
  showAll.addEventListener("click", () => { everything = true; refresh(); });

  const conditional = [...form.querySelectorAll("[data-for], [data-harm]")]
    .filter((each) => !each.parentElement.closest("[data-for], [data-harm]"));
  if (conditional.length) rowOf(form.querySelector("[data-for]")).parentElement.append(showAll);

  function answered(row) {
    return [...row.querySelectorAll("input, select")].some((each) =>
      each.type === "radio" || each.type === "checkbox" ? each.checked && each.value : each.value);
  }
  function matters(element) {
    if ("harm" in element.dataset) return value("actuality") !== "near-miss";
    const { category } = chosen("complication");
    return element.dataset.for.split(" ").some((one) => one === category || one === value("complication"));
  }
  function sift() {
    let hidden = 0;
    for (const element of conditional) {
      const row = rowOf(element);
      row.hidden = !(everything || matters(element) || answered(row) || isAsked(row) || row.matches(".errors"));
      hidden += row.hidden && "for" in element.dataset ? 1 : 0;
    }
    showAll.hidden = !hidden;
    const notOnFile = form.querySelector(".not-on-file");
    if (notOnFile) {
      const wrong = notOnFile.querySelector(".errors");
      notOnFile.hidden = Boolean(value("implant")) && !answered(notOnFile) && !wrong;
    }
  }

  // On a phone a section without an answer is its heading, which names its questions.
  const phone = window.matchMedia("(max-width: 767px)");
  const folds = [...form.querySelectorAll("fieldset.foldable")].map((section) => {
    const heading = section.querySelector("h2");
    const title = heading.textContent;
    const button = document.createElement("button");
    const inside = document.createElement("span");
    const open = answered(section) || section.querySelector([".errors", ...unanswered].join());
    button.type = "button";
    button.setAttribute("aria-expanded", String(Boolean(open)));
    button.append(title, inside);
    button.addEventListener("click", () => {
      button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") === "false"));
      fold();
    });
    return { section, heading, title, button, inside };
  });
  for (const query of queries) {
    query.addEventListener("click", () => {
      const around = folds.find(({ section }) => section.querySelector(fieldOf(query)));
      around?.button.setAttribute("aria-expanded", "true");
      fold();
    });
  }
  function fold() {
    for (const { section, heading, title, button, inside } of folds) {
      const folded = phone.matches && button.getAttribute("aria-expanded") === "false";
      const questions = [...section.querySelectorAll(".form-row:not([hidden]) label, .form-row:not([hidden]) [aria-label]")]
        .filter((each) => each.matches("[role], .form-row > div > .flex-container > label"));
      const names = new Set(questions.map((each) => (each.getAttribute("aria-label") ?? each.textContent).replace(/:$/, "")));
      const asks = section.querySelector("input, select") !== null;
      inside.textContent = folded && asks ? [...names].join(", ") : "";
      section.classList.toggle("folded", folded);
      if (phone.matches !== heading.contains(button)) heading.replaceChildren(phone.matches ? button : title);
    }
  }
  const meter = document.querySelector("details.meter");
  const shut = () => { if (meter) meter.open = !phone.matches; };
  phone.addEventListener("change", () => { fold(); shut(); });
  shut();

  // Months since implant against the years of implant and event, and the implant's follow-up.
  const monthsNote = note("months_since_implant", "check");
  const implantNote = note("implant", "check");
  function check() {
    const { implanted, followed, ended, component } = chosen("implant");
    const { clock, category } = chosen("complication");
    const [year, months] = [wholeNumber(value("year")), wholeNumber(value("months_since_implant"))];
    say(implantNote, component && clock && component !== clock
      && `This complication counts on the ${clock}: choose the patient's ${clock}.`);
    say(monthsNote, "");
    if (!implanted || year === null || year < 1000) return;
    const most = 12 * (year - implanted) + 11;
    const least = Math.max(0, most - 23);
    if (most < 0) say(monthsNote, `The implant was in ${implanted}, after this year.`);
    else if (months === null) say(monthsNote, `${least} to ${most} in ${year}, after an implant in ${implanted}.`, false);
    else if (months < least || months > most) say(monthsNote, `It was ${least} to ${most} months in ${year}, after an implant in ${implanted}: correct the months, the year or the implant.`);
    else if (months > Number(followed) && ended && ["catheter", "pump"].includes(category)) say(monthsNote, `This implant was followed for ${followed} months, to its end: correct the months, or choose another implant.`);
    else if (months > Number(followed)) say(monthsNote, `This implant was followed for ${followed} months on file. A later event is stored all the same; it counts in time once follow-up reaches it.`, false);
  }

  // A death ends the patient: what is on file of one, and what a fatal answer here will do.
  const deathNote = note("implant", "check");
  const fatalNotes = { complication: note("complication", "check"), outcome: note("outcome", "check") };
  function tellDeath() {
    const { died, died_year: diedYear, died_months: diedMonths, followed, component } = chosen("implant");
    const [year, months] = [wholeNumber(value("year")), wholeNumber(value("months_since_implant"))];
    const isDeath = value("complication") === "death";
    const fatal = isDeath || value("outcome") === "fatal";
    const when = [diedYear && `in ${diedYear} at the latest`, diedMonths && `by month ${diedMonths} of this ${component}`]
      .filter(Boolean).join(", ");
    const later = diedMonths && months !== null ? months > Number(diedMonths)
      : Boolean(diedYear) && year !== null && year > Number(diedYear);
    const onFile = `This patient died${when && ` ${when}`}, as is on file`;
    say(deathNote, died && (later && !fatal
      ? `${onFile}: saving refuses a later event. Correct the time here, or the death there.`
      : `${onFile}. No later event is taken.`), later && !fatal);

    const missing = [
      value("severity") !== "5" && "severity 5",
      value("outcome") !== "fatal" && "outcome fatal",
      !form.querySelector("[name=seriousness][value=death]").checked && "criterion death",
    ].filter(Boolean);
    let text = "", wrong = false;
    if (fatal && died === "reported") {
      text = "A death of this patient is reported already. Saving refuses a second one, unless the one led to the other and is named as its cause.";
      wrong = true;
    } else if (fatal && months !== null && followed && Number(followed) > months) {
      text = `This ${component} was followed to month ${followed} on file, beyond this death: saving refuses that. End its follow-up at the death first, or correct the months.`;
      wrong = true;
    } else if (fatal || missing.length < 3) {
      text = "A death ends the patient: from this report on no event and no follow-up after it is taken, and saving refuses it where a later one is on file.";
    }
    if (text && missing.length) text += ` Still missing for a death: ${missing.join(", ")}.`;
    say(fatalNotes.complication, isDeath && text, wrong);
    say(fatalNotes.outcome, !isDeath && text, wrong);
  }

  function note(name, kind) {
    const element = document.createElement("div");
    element.className = kind;
    element.setAttribute("role", "status");
    rowOf(document.getElementById(`id_${name}`)).append(element);
    return element;
  }
  function paragraph(text) {
    const element = document.createElement("p");
    element.textContent = text;
    return element;
  }
  function say(place, text, wrong = true) {
    if (place.textContent === (text || "")) return;
    place.textContent = text || "";
    place.classList.toggle("wrong", wrong);
  }
  function refresh() {
    describe();
    sift();
    fold();
    check();
    tellDeath();
  }

  // Unsaved answers, and a second press of a button that was pressed already.
  const answers = () => new URLSearchParams(new FormData(form)).toString();
  const refused = Boolean(form.querySelector(".errorlist"));
  const opened = answers();
  let leaving = false, reached = false, sent = false;
  const offline = document.createElement("p");
  offline.className = "errornote offline";
  offline.setAttribute("role", "alert");
  offline.textContent = "The registry cannot be reached. Nothing was sent, and your answers are still here: try again when the connection is back.";
  form.addEventListener("submit", async (event) => {
    if (reached && !sent) { leaving = sent = true; return; }
    event.preventDefault();
    if (leaving) return;
    leaving = true;
    // Without a connection the browser would show its own page in place of the answers.
    reached = await fetch("/health/live", { method: "HEAD", cache: "no-store" }).then(() => true, () => false);
    leaving = reached;
    offline.remove();
    if (reached) return form.requestSubmit(event.submitter);
    form.append(offline);
    offline.scrollIntoView({ block: "center" });
  });
  // A session in use goes on: once in five minutes of typing the server hears of it.
  let heard = Date.now();
  form.addEventListener("input", () => {
    if (Date.now() - heard < 300_000) return;
    heard = Date.now();
    fetch("/admin/jsi18n/", { method: "HEAD", cache: "no-store" }).catch(() => {});
  });
  window.addEventListener("pageshow", () => { leaving = reached = sent = false; });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && (refused || answers() !== opened)) event.preventDefault();
  });

  form.addEventListener("input", refresh);
  refresh();

  // Focus the first fault, or the first question.
  const first = form.querySelector(".form-row.errors")?.querySelector("select, input:not([type=hidden])");
  const start = first ?? (location.pathname.endsWith("/add/") ? field("complication") : null);
  const searched = start?.nextElementSibling?.querySelector?.("[role=combobox]");
  if (start) setTimeout(() => (searched ?? start).focus());
});
