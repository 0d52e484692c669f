// Goes on to the app once the other apps' frames have loaded, or after a few seconds.

const next = document.getElementById("logout-continue");
if (next) {
  let gone = false;
  const go = () => {
    if (gone) return;
    gone = true;
    location.replace(next.href);
  };
  addEventListener("load", go);
  setTimeout(go, 4000);
}
