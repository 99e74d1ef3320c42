// Check files without leaving the page: they stay chosen, and so can be stored at once.
{
  const form = document.getElementById("upload-form");
  const answer = document.getElementById("upload-answer");
  const buttons = () => form.querySelectorAll("button");

  const show = (...nodes) => {
    answer.replaceChildren(...nodes);
    answer.scrollIntoView({block: "nearest"});
    answer.focus();
  };

  form.addEventListener("submit", async event => {
    if (event.submitter?.name !== "check") return;
    event.preventDefault();
    const sent = new FormData(form, event.submitter);
    sent.delete("checked");
    for (const button of buttons()) button.disabled = true;
    try {
      const reply = await fetch(form.action, {method: "POST", body: sent});
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const said = page.getElementById("upload-answer");
      if (!said) throw new Error(String(reply.status));
      const errors = page.getElementById("upload-errors");
      show(...(errors ? [errors] : []), ...said.childNodes);
    } catch {
      show("The files could not be checked. See whether you are still signed in, and try again.");
    } finally {
      for (const button of buttons()) button.disabled = false;
    }
  });

  for (const input of form.querySelectorAll("input"))
    input.addEventListener("change", () => answer.replaceChildren());
}
