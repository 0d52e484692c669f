// The OP iframe of OIDC Session Management 1.0 §3.3. Answers whoever asks, as a rule the frame beside
// it (§3.1): is the session still the one that `session_state` was made from? The answer is bound to
// the origin that asks, so nobody learns of another app's session.

const NAMES = ["__Host-russet_state=", "russet_state="];

function browserState() {
  const cookies = document.cookie.split("; ");
  for (const name of NAMES) {
    const found = cookies.find((cookie) => cookie.startsWith(name));
    if (found) return found.slice(name.length);
  }
  return "";
}

async function hash(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function answer(message, origin) {
  const parts = typeof message === "string" ? message.split(" ") : [];
  const [clientId, sessionState] = parts;
  const [known, salt] = (sessionState ?? "").split(".");
  if (parts.length !== 2 || !clientId || !known || !salt) return "error";
  try {
    const state = browserState();
    const now = await hash(`${clientId} ${origin} ${state} ${salt}`);
    return state && now === known ? "unchanged" : "changed";
  } catch {
    return "error";
  }
}

addEventListener("message", async (event) => {
  if (!event.source || event.origin === "null") return;
  event.source.postMessage(await answer(event.data, event.origin), event.origin);
});
