// Searched lists take the place of a select: give them its label, so that they are read out.
window.django?.jQuery?.(() => {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    const box = select.nextElementSibling?.querySelector("[role=combobox]");
    if (!label || !box) continue;
    label.id ||= `${select.id}_label`;
    const value = box.querySelector("[role=textbox]");
    box.setAttribute("aria-labelledby", value ? `${label.id} ${value.id}` : label.id);
    value?.setAttribute("aria-labelledby", label.id);
  }
});
