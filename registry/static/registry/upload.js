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

  const showPage = html => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const said = page.getElementById("upload-answer");
    if (!said) throw new Error("no answer");
    const errors = page.getElementById("upload-errors");
    const wrong = [...page.querySelectorAll("#upload-form .errorlist")];
    const fields = wrong.filter(list => !errors?.contains(list));
    show(...(errors ? [errors] : []), ...fields, ...said.childNodes);
  };

  // Lines of JSON: the rows read so far, and at last the page.
  const follow = async reply => {
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const {value, done} = await reader.read();
      rest += value ?? "";
      const lines = rest.split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const told = JSON.parse(line);
        if (told.page !== undefined) return showPage(told.page);
        answer.textContent = `Checking ${told.kind}: ${told.rows.toLocaleString("en")} rows read.`;
      }
      if (done) throw new Error("cut short");
    }
  };

  // Takes over the token of the page as it is now, which a sign-in in another tab changed; false
  // where nobody is signed in any more.
  const signedIn = async () => {
    const reply = await fetch(form.action, {cache: "no-store"});
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const token = page.querySelector("#upload-form [name=csrfmiddlewaretoken]");
    if (token) form.elements.csrfmiddlewaretoken.value = token.value;
    return token !== null;
  };

  const tellSignedOut = () => {
    const note = document.createElement("p");
    note.className = "errornote";
    const link = document.createElement("a");
    Object.assign(link, {href: `/login/?next=${location.pathname}`, target: "_blank", rel: "noopener"});
    link.textContent = "Sign in in another tab";
    note.append(
      "You were signed out, or your session ended: nothing was sent. ", link,
      ", then press the button here again. The files stay chosen.");
    document.getElementById("upload-signed-out")?.remove();
    note.id = "upload-signed-out";
    answer.append(note);
    note.scrollIntoView({block: "nearest"});
  };

  let sure = false;
  form.addEventListener("submit", async event => {
    const button = event.submitter;
    if (sure) {
      sure = false;
      return;
    }
    if (button?.name === "store") {
      event.preventDefault();
      try {
        if (!await signedIn()) return tellSignedOut();
      } catch {
        return show("The registry cannot be reached. Nothing was sent: try again.");
      }
      sure = true;
      const note = document.createElement("p");
      note.textContent = "Storing the rows. This can take half a minute.";
      answer.append(note);
      return form.requestSubmit(button);
    }
    if (button?.name !== "check" && button?.name !== "take_empty") return;
    event.preventDefault();
    try {
      if (!await signedIn()) return tellSignedOut();
    } catch {
      return show("The registry cannot be reached. Nothing was sent: try again.");
    }
    const sent = new FormData(form, button);
    sent.delete("checked");
    for (const each of buttons()) each.disabled = true;
    try {
      const headers = {"X-Progress": "1"};
      const reply = await fetch(form.action, {method: "POST", body: sent, headers});
      const type = reply.headers.get("Content-Type") ?? "";
      if (type.startsWith("application/x-ndjson")) await follow(reply);
      else showPage(await reply.text());
    } catch {
      show("The files could not be checked: try again.");
    } finally {
      for (const each of buttons()) each.disabled = false;
    }
  });

  for (const input of form.querySelectorAll("fieldset input"))
    input.addEventListener("change", () => answer.replaceChildren());
}
