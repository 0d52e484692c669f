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
  form.addEventListener("submit", (event) => { 
    const { submitter } = event;
    leaving = !submitter?.closest("[data-rows]") || Boolean(submitter.dataset.plainly);
  });
  addEventListener("beforeunload", (event) => {
    if (!leaving && state() !== before) event.preventDefault();
  });
}

// The box that searches all rooms takes the focus by a shortcut with a modifier (WCAG 2.1.4), and
// tells so where there is a keyboard.
const find = document.getElementById("find");
if (find) {
  const apple = /Mac|iPhone|iPad/.test(navigator.platform);
  find.setAttribute("aria-keyshortcuts", apple ? "Meta+K" : "Control+K");
  if (matchMedia("(hover: hover) and (pointer: fine)").matches) {
    find.placeholder += apple ? " (⌘K)" : " (Ctrl+K)";
  }
  addEventListener("keydown", (event) => {
    const wanted = apple ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (!wanted || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    find.focus();
    find.select();
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

// <fieldset data-rows>: rows come, move and go, and what they do is shown, while the rest of the
// form stays as it is.
async function turn(form, button, part) {
  const body = new URLSearchParams(new FormData(form));
  body.set(button.name, button.value);
  const answer = await fetch(form.action, { method: "POST", body });
  if (!answer.ok) throw new Error(answer.statusText);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [here, there] = [document, page].map((of) => of.getElementById(part));
  if (!here || !there) throw new Error("another page came");
  here.replaceWith(there);
  return there;
}

document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  const rows = button?.closest("[data-rows]");
  if (!rows || button.dataset.plainly) return;
  event.preventDefault();
  const before = rows.querySelectorAll(".rule").length;
  try {
    const now = await turn(event.target, button, rows.id);
    const rules = now.querySelectorAll(".rule");
    const next = rules.length > before ? rules[rules.length - 1].querySelector("input") : null;
    (next ?? [...now.querySelectorAll("button")].find((one) => one.value === button.value)
      ?? now.querySelector("#claims-add"))?.focus();
    say(button.textContent.trim());
  } catch {
    button.dataset.plainly = "true";
    button.click();
  }
});

let looking;
document.addEventListener("input", (event) => {
  const rows = event.target.closest("[data-rows]");
  const look = rows?.querySelector("[value=look]");
  if (!look || !document.getElementById("claims.person").value.trim()) return;
  clearTimeout(looking);
  looking = setTimeout(() => turn(rows.closest("form"), look, "claims-preview").catch(() => {}), 600);
});

// <button data-follow="address" data-into="id of a list">: what is new comes on top of the list until
// the button is pressed again. Nothing is asked while nobody looks, and it ends by itself: whoever
// looks on keeps no session open for ever.
for (const button of document.querySelectorAll("[data-follow]")) {
  const list = document.getElementById(button.dataset.into);
  const names = (rows) => rows.map((row) => row.querySelector("a").getAttribute("href"));
  let [next, ends] = [null, 0];
  const stop = (words) => {
    clearTimeout(next);
    ends = 0;
    button.setAttribute("aria-pressed", "false");
    if (words) say(words);
  };
  const take = (page) => {
    const known = new Set(names([...list.querySelectorAll("tbody tr")]));
    const into = page.getElementById(list.id);
    const rows = [...into.querySelectorAll("tbody tr")];
    const fresh = rows.filter((row) => !known.has(names([row])[0]));
    button.dataset.follow = page.querySelector("[data-follow]").dataset.follow;
    if (fresh.length === 0) return;
    const body = list.querySelector("tbody");
    if (body) body.prepend(...fresh);
    else list.replaceChildren(...into.children);
    for (const row of [...list.querySelectorAll("tbody tr")].slice(500)) row.remove();
    const first = fresh[0].querySelector("a").textContent;
    say(fresh.length === 1 ? `New: ${first}` : `${fresh.length} new events`);
  };
  const look = async () => {
    if (Date.now() > ends) { stop("Following has ended after ten minutes"); return; }
    if (!document.hidden) {
      const answer = await fetch(button.dataset.follow).catch(() => null);
      if (ends === 0) return;
      if (!answer?.ok || answer.redirected) { stop("Following has ended"); return; }
      take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
    next = setTimeout(look, 2000);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    if (ends > 0) { stop(); return; }
    button.setAttribute("aria-pressed", "true");
    ends = Date.now() + 600_000;
    look();
  });
}

// <form data-waits>: somebody answers elsewhere; it is sent when they have.
const waits = document.querySelector("form[data-waits]");
if (waits && !waits.hasAttribute("data-answered")) {
  const here = new URL(waits.action);
  here.searchParams.set("trial", waits.elements.trial.value);
  const again = setInterval(async () => {
    const answer = await fetch(here).catch(() => null);
    if (!answer?.ok) { clearInterval(again); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.querySelector("form[data-answered]")) return;
    clearInterval(again);
    waits.requestSubmit();
  }, 3000);
}
