// What the console gains from a script. Every page works without it.

document.documentElement.classList.add("scripted");

const status = document.getElementById("status");

function say(words) {
  if (status) {
    status.textContent = "";
    requestAnimationFrame(() => { status.textContent = words; });
  }
}

// <button data-copy="id of the element whose text is copied">
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  if (!source) return;
  try {
    await navigator.clipboard.writeText(source.textContent);
    say("Copied");
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 2000);
  } catch {
    getSelection().selectAllChildren(source);
    say("Selected. Copy it with the keyboard.");
  }
});

// <form data-guard>: leaving with changes asks first.
for (const form of document.querySelectorAll("form[data-guard]")) {
  const state = () => new URLSearchParams(new FormData(form)).toString();
  const before = state();
  let leaving = false;
  form.addEventListener("submit", () => { leaving = true; });
  addEventListener("beforeunload", (event) => {
    if (!leaving && state() !== before) event.preventDefault();
  });
}

// A summary of problems takes the focus, so that it is read first.
document.querySelector(".problems")?.focus();

// <input type=file data-key-id="id of a field">: the Key ID is in the file's name.
document.addEventListener("change", (event) => {
  const target = document.getElementById(event.target.dataset?.keyId ?? "");
  const found = /^AuthKey_([A-Za-z0-9]{10})[ (.]/.exec(event.target.files?.[0]?.name ?? "");
  if (!target || !found) return;
  target.value = found[1];
  say(`Key ID ${found[1]}`);
});

// <textarea data-check-uris="kind">: what is wrong with the lines, while they are typed.
for (const field of document.querySelectorAll("[data-check-uris]")) {
  const told = document.getElementById(`${field.id}-problem`);
  const base = new URL(document.querySelector(".mark").href);
  let waiting;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const query = new URLSearchParams({ kind: field.dataset.checkUris, uris: field.value });
      const answer = await fetch(`${base.pathname}/redirect-uris?${query}`);
      if (!answer.ok) return;
      const { problems, hints } = await answer.json();
      told.replaceChildren(...problems.concat(hints).map((words) => {
        const line = document.createElement("p");
        line.textContent = words;
        if (!problems.includes(words)) line.className = "soft";
        return line;
      }));
      field.toggleAttribute("aria-invalid", false);
      if (problems.length > 0) field.setAttribute("aria-invalid", "true");
      say(problems[0] ?? "");
    }, 400);
  });
}
