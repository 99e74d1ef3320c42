"use strict";

// An address to copy is selected as soon as it is entered, and has a button that copies it.
// Without this script it is a text to select by hand.
for (const box of document.querySelectorAll("input[data-copy]")) {
  box.addEventListener("focus", () => box.select());
  if (!navigator.clipboard) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button second";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(box.value);
    button.textContent = "Copied";
  });
  box.after(button);
}
