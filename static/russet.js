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
