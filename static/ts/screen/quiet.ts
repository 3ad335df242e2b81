/* What makes a browser a screen: no cursor, no sleep, the whole screen on a double click, and one page of a name at a time. */
const CURSOR_AFTER = 3000;

export function hideCursor(): void {
  let timer = 0;
  const moved = () => {
    document.body.classList.remove("still");
    clearTimeout(timer);
    timer = window.setTimeout(() => document.body.classList.add("still"), CURSOR_AFTER);
  };
  addEventListener("pointermove", moved);
  moved();
}

export function fillTheScreenOnDoubleClick(): void {
  addEventListener("dblclick", () => {
    const change = document.fullscreenElement
      ? document.exitFullscreen()
      : document.documentElement.requestFullscreen();
    change.catch(() => undefined);
  });
}

/** Keeps the machine awake where the browser can: pages over HTTPS, and of this machine itself. */
export function stayAwake(): void {
  const ask = () => {
    if (!document.hidden) navigator.wakeLock?.request("screen").catch(() => undefined);
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}

/** What the address of a page ends with that gave way to another. */
export const ELSEWHERE = "#elsewhere";

/** Two pages of one name in one browser would have the same key: the newer one goes on, and the older gives way, which `reload` brings about. */
export function onlyOne(name: string, reload: () => void): void {
  const channel = new BroadcastChannel(`hookcast:screen:${name}`);
  channel.addEventListener("message", () => {
    location.hash = ELSEWHERE;
    reload();
  });
  channel.postMessage("here");
}
