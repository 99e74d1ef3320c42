// The catalogue as a tree beside the searched list of complications. Without this file the list is
// a plain one, by category.
"use strict";

window.django?.jQuery?.(() => {
  const $ = window.django.jQuery;
  for (const select of document.querySelectorAll("select[data-ajax--url*='/complication/choices/']")) {
    const groups = [...select.querySelectorAll("optgroup")];
    if (!groups.length) continue;
    const tree = element("details", "tree");
    tree.append(element("summary", "", "Browse the catalogue"));
    for (const group of groups) tree.append(branch(select, tree, group));
    // Before the list, so that Tab goes from the list to the next question.
    (select.closest(".form-row") ?? select.parentElement).prepend(tree);
  }

  function branch(select, tree, group) {
    const kind = element("details");
    const list = element("ul");
    for (const option of [...group.children]) {
      const term = element("button", "", option.text.replace(` (${group.label})`, ""));
      term.type = "button";
      term.addEventListener("click", () => choose(select, tree, option));
      const item = element("li");
      item.append(term);
      list.append(item);
    }
    kind.append(element("summary", "", `${group.label} (${group.children.length})`), list);
    return kind;
  }

  // The server says what the page tells of a term, as when it is searched.
  async function choose(select, tree, option) {
    select.value = option.value;
    $(select).trigger("change");
    tree.open = false;
    select.nextElementSibling?.querySelector?.("[role=combobox]")?.focus();
    const address = `${select.dataset["ajax-Url"]}?term=${encodeURIComponent(option.value)}`;
    const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return;
    const { results } = await answer.json();
    const data = results.find((each) => each.id === option.value);
    if (data) $(select).trigger({ type: "select2:select", params: { data } });
  }

  function element(name, className = "", text = "") {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.textContent = text;
    return made;
  }
});
