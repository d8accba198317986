/** The service worker that keeps the folder on the device. */

/** Ready when the files are kept; returns what to say about it. It never fails: without it the page needs its server. */
export async function keepOffline(): Promise<string> {
  if (!("serviceWorker" in navigator)) {
    return isSecureContext ? "no: this browser keeps no pages" : "no: pages are kept from https or localhost only";
  }
  try {
    // The type promises one; a browser that is told to block service workers gives none.
    const registration = (await navigator.serviceWorker.register("sw.js")) as ServiceWorkerRegistration | undefined;
    if (!registration) return "no: this browser keeps no pages";
    const arriving = registration.installing ?? registration.waiting;
    if (arriving && !registration.active) await arrived(arriving);
    if (!navigator.serviceWorker.controller) await controlled();
    return "yes, kept on this device";
  } catch (error) {
    return `no: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * Let another export that arrives take the place of the one that was kept: not while a page reads its files, which would then be of two
 * exports. What was read already stays as it is until the page is loaded again.
 */
export function letNewerTakeOver(): void {
  if (!("serviceWorker" in navigator)) return;
  void navigator.serviceWorker.getRegistration().then((registration) => {
    if (!registration) return;
    const tell = (): void => registration.waiting?.postMessage("take over");
    const watch = (worker: ServiceWorker | null): void => worker?.addEventListener("statechange", tell);
    tell();
    watch(registration.installing);
    registration.addEventListener("updatefound", () => watch(registration.installing));
  });
}

function arrived(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("the browser could not keep the files"));
    };
    worker.addEventListener("statechange", look);
    look();
  });
}

/** A page that was loaded past its worker (by a forced reload) is never taken over: it does not wait for that. */
function controlled(): Promise<void> {
  return new Promise((resolve) => {
    navigator.serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true });
    setTimeout(resolve, 2000);
  });
}
