// Greys what protected numbers cannot have beside what is chosen, with the reason, and says how many
// rows will be told before a question is asked. Without this file the form greys as it was last asked.
"use strict";

(() => {
  const form = document.querySelector("form[data-combining]");
  if (!form) return;
  const known = JSON.parse(form.dataset.combining);
  const named = (name) => name.replace(/^year_(min|max)$/, "year");
  const groups = [...form.querySelectorAll("select[name=group_by]")];
  const filters = [...form.elements].filter(
    (each) => each.name !== "group_by" && known[named(each.name)]);
  const said = form.querySelector(".told-before");
  let waiting = 0;
  let asked = 0;

  const isSet = (box) => box.multiple ? [...box.options].some((each) => each.selected && each.value)
    : Boolean(box.value);

  function whyNot(name, used) {
    const against = [...new Set(used.map(named))].filter((other) => known[other] && other !== name
      && !known[name].kin.includes(other) && !known[other].beside.includes(name));
    const titles = against.map((other) => known[other].title);
    const last = titles.pop();
    return last ? `not together with ${[titles.join(", "), last].filter(Boolean).join(" and ")} in `
      + "protected numbers" : "";
  }

  function grey() {
    const filtered = filters.filter(isSet).map((box) => box.name);
    const picked = groups.map((box) => box.value);
    groups.forEach((box, place) => {
      const used = [...filtered, ...picked.filter((value, other) => value && other !== place)];
      for (const option of box.options) {
        if (!known[option.value]) continue;
        option.dataset.title ??= option.text.replace(/ \(not together with .*\)$/, "");
        const why = option.selected ? "" : whyNot(option.value, used);
        option.disabled = Boolean(why);
        option.text = why ? `${option.dataset.title} (${why})` : option.dataset.title;
      }
    });
    for (const box of filters) {
      const why = isSet(box) ? "" : whyNot(named(box.name), [...filtered, ...picked]);
      const search = document.getElementById(`${box.id}-search`);
      for (const one of [box, search]) if (one) one.disabled = Boolean(why);
      explain(box, why);
    }
  }

  function explain(box, why) {
    const field = box.closest(".field");
    let help = document.getElementById(`${box.id}_helptext`);
    if (!help && why) {
      help = document.createElement("div");
      help.className = "help";
      help.id = `${box.id}_helptext`;
      field.append(help);
    }
    if (help) help.textContent = why ? `${why[0].toUpperCase()}${why.slice(1)}.` : "";
  }

  function tell() {
    if (!form.dataset.told || !said) return;
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const mine = ++asked;
      const params = new URLSearchParams(new FormData(form));
      try {
        const reply = await fetch(`${form.dataset.told}?${params}`);
        const found = await reply.json();
        if (mine === asked) said.textContent = found.said;
      } catch {
        if (mine === asked) said.textContent = "";
      }
    }, 400);
  }

  form.addEventListener("change", () => { grey(); tell(); });
  form.addEventListener("picked", () => { grey(); tell(); });
  grey();
})();
