// Passkeys: <button data-passkey="get|create" data-challenge="address" hidden> in a form with the
// fields csrf, handle and credential. The browser's answer is put into the form, and the form sent.

const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON;

async function credential(act, options) {
  const made = act === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return JSON.stringify(made.toJSON());
}

function why(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey for you already.";
  if (error.message === "429") return "Too many attempts from your address. Wait a minute.";
  return "That did not work, or was cancelled. Try again, or use another way.";
}

for (const button of able ? document.querySelectorAll("[data-passkey]") : []) {
  const { form } = button;
  const { elements } = form;
  const said = form.querySelector("[data-passkey-status]");
  button.hidden = false;
  form.querySelector("[data-passkey-none]").hidden = true;
  const go = async () => {
    button.disabled = true;
    said.textContent = "Your device asks you now.";
    try {
      const body = new URLSearchParams({ csrf: elements.csrf.value });
      const asked = await fetch(button.dataset.challenge, { method: "POST", body });
      if (button.dataset.passkey === "create" && (asked.status === 403 || asked.redirected)) {
        // The last proof is too old by now: the page asks for one, and comes back with the name.
        location.assign(`?${new URLSearchParams({ passkey_name: elements.passkey_name.value })}`);
        return;
      }
      if (!asked.ok) throw new Error(String(asked.status));
      const { handle, options } = await asked.json();
      elements.credential.value = await credential(button.dataset.passkey, options);
      elements.handle.value = handle;
      form.submit();
    } catch (error) {
      button.disabled = false;
      said.textContent = why(error);
    }
  };
  button.addEventListener("click", go);
  form.addEventListener("submit", (event) => {
    // Enter in the field of the name.
    event.preventDefault();
    go();
  });
}
