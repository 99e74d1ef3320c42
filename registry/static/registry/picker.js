// A search in place of long lists of a question's form: type a part of a name, choose, see what is
// chosen. Without this file the lists are plain ones.
"use strict";

(() => {
  const LONG = 8;
  const MOST = 12;

  for (const select of document.querySelectorAll(".filters select[multiple]")) {
    if (select.options.length > LONG) pick(select);
  }

  function pick(select) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    if (!label) return;
    const name = label.textContent.trim();
    const options = [...select.options].map((option, place) => ({
      option, id: `${select.id}-${place}`, key: plain(`${option.text} ${option.value} ${shelf(option)}`),
    }));
    const box = made("div", "picker");
    const chosen = made("ul", "chosen");
    chosen.setAttribute("aria-label", `${name}: chosen`);
    const input = made("input");
    const list = made("ul", "offered");
    const said = made("p", "help");
    input.type = "text";
    input.id = `${select.id}-search`;
    input.autocomplete = "off";
    input.placeholder = `Search ${options.length}`;
    list.id = `${select.id}-list`;
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", name);
    said.id = `${select.id}-said`;
    said.setAttribute("role", "status");
    for (const [key, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false",
      "aria-controls": list.id, "aria-describedby": said.id,
    })) input.setAttribute(key, value);
    label.htmlFor = input.id;
    select.hidden = true;
    box.append(chosen, input, list, said);
    select.after(box);
    let at = -1;
    let found = [];

    function show() {
      select.dispatchEvent(new Event("picked", { bubbles: true }));
      chosen.replaceChildren(...options.filter(({ option }) => option.selected).map(({ option }) => {
        const item = made("li");
        const button = made("button", "tag", `${option.text} ×`);
        button.type = "button";
        button.setAttribute("aria-label", `Remove ${option.text}`);
        button.addEventListener("click", () => { option.selected = false; show(); input.focus(); });
        item.append(button);
        return item;
      }));
      chosen.hidden = !chosen.children.length;
    }

    function offer() {
      const parts = plain(input.value).split(" ").filter(Boolean);
      const all = options.filter(({ option, key }) =>
        !option.selected && parts.every((part) => key.includes(part)));
      found = all.slice(0, MOST);
      at = parts.length && found.length ? 0 : -1;
      list.replaceChildren(...found.map(({ option, id }) => {
        const item = made("li", "", option.text);
        item.id = id;
        item.setAttribute("role", "option");
        if (shelf(option)) item.append(made("span", "quiet small", ` ${shelf(option)}`));
        item.addEventListener("mousedown", (event) => { event.preventDefault(); choose(option); });
        return item;
      }));
      open(found.length > 0);
      const more = all.length - found.length;
      said.textContent = !all.length ? "Nothing fits." : more ? `${more} more: type on.` : "";
    }

    function open(wide) {
      list.hidden = !wide;
      input.setAttribute("aria-expanded", String(wide));
      [...list.children].forEach((item, place) =>
        item.setAttribute("aria-selected", String(place === at)));
      if (wide && at >= 0) {
        input.setAttribute("aria-activedescendant", found[at].id);
        list.children[at].scrollIntoView({ block: "nearest" });
      } else input.removeAttribute("aria-activedescendant");
    }

    function choose(option) {
      option.selected = true;
      input.value = "";
      show();
      close();
    }

    function close() {
      said.textContent = "";
      at = -1;
      open(false);
    }

    input.addEventListener("input", offer);
    input.addEventListener("focus", offer);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      const wide = !list.hidden;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (!wide) return offer();
        at = (at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length;
        open(true);
      } else if (event.key === "Enter" && wide && at >= 0) {
        event.preventDefault();
        choose(found[at].option);
      } else if (event.key === "Escape" && wide) {
        event.preventDefault();
        close();
      } else if (event.key === "Backspace" && !input.value) {
        const last = options.filter(({ option }) => option.selected).pop();
        if (last) { last.option.selected = false; show(); }
      }
    });
    show();
  }

  function shelf(option) {
    const group = option.parentElement;
    return group.tagName === "OPTGROUP" ? group.label : "";
  }

  function plain(text) {
    return text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
  }

  function made(tag, className = "", text = "") {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.textContent = text;
    return element;
  }
})();
