// How an entry's bytes reach the store past the site, where that is set up: part after part, each put to an address that
// the site signs, and again until it has arrived. To the page it is what tus-transfer.js is, whose words it shares.
"use strict";

const PARTS_KEPT = "podium-parts";

function partsKey({ endpoint, participant }, file) {
  const start = [PARTS_KEPT, participant, endpoint, ""].join("|");
  return file ? start + [file.name, file.size, file.lastModified].join("|") : start;
}

function partsAddress(endpoint, id) {
  return endpoint.replace(/tracks\/.*/, `uploads/${id}/`);
}

// Returns what can be started, paused, started again, and stopped for good.
function partsTransfer(file, { endpoint, participant, csrfToken, onProgress, onWaiting, onRefused, onLost, onDone }) {
  const key = partsKey({ endpoint, participant }, file);
  let id = localStorage.getItem(key);
  let isWanted = false;
  let going = null;
  let put = null;

  function remember(begun) {
    id = begun;
    if (begun) localStorage.setItem(key, begun);
    else localStorage.removeItem(key);
  }

  async function ask(method, address, body) {
    const response = await fetch(address, {
      method,
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken },
      body: body && JSON.stringify(body),
      cache: "no-store",
    });
    const told = await response.json().catch(() => ({}));
    if (response.ok) return told;
    if (PASSING.has(told.code) || (response.status >= 500 && !told.code)) throw new Error(`status ${response.status}`);
    throw new UploadRefusal(response.status, told);
  }

  function putPart(url, part, start) {
    return new Promise((resolve, reject) => {
      put = new XMLHttpRequest();
      put.upload.addEventListener("progress", (progress) => onProgress(start + progress.loaded, file.size));
      put.addEventListener("load", () => {
        if (put.status >= 200 && put.status < 300) resolve();
        else reject(new Error(`status ${put.status}`)); // an address that has run out is signed anew
      });
      for (const end of ["error", "abort"]) put.addEventListener(end, () => reject(new Error(end)));
      put.open("PUT", url);
      put.send(part);
    });
  }

  async function begin() {
    const begun = await ask("POST", endpoint, { entry_name: file.name, entry_bytes: file.size });
    remember(begun.id);
  }

  async function stateOfParts() {
    try {
      return await ask("GET", `${partsAddress(endpoint, id)}parts/`);
    } catch (error) {
      if (error.status !== 404) throw error;
      remember(null); // gone: begun anew
      return null;
    }
  }

  // Does one step; returns the submission once there is one.
  async function step() {
    if (!id) await begin();
    const state = await stateOfParts();
    if (!state || state.submission) return state?.submission;
    const received = new Set(state.parts_received);
    const numbers = Array.from({ length: state.parts }, (_, index) => index + 1);
    const number = numbers.find((one) => !received.has(one));
    if (!number) {
      onProgress(file.size, file.size);
      return (await ask("POST", `${partsAddress(endpoint, id)}complete/`)).submission;
    }
    const signed = await ask("POST", `${partsAddress(endpoint, id)}parts/`, { numbers: [number] });
    const start = (number - 1) * state.part_bytes;
    if (isWanted) await putPart(signed.parts[0].url, file.slice(start, start + state.part_bytes), start);
    return null;
  }

  async function goOn() {
    let failures = 0;
    while (isWanted) {
      try {
        const submission = await step();
        failures = 0;
        if (submission) {
          remember(null);
          onDone(submission);
          return;
        }
      } catch (error) {
        if (!isWanted) return;
        if (error instanceof UploadRefusal) return onRefused(error);
        if (failures >= RETRY_DELAYS_MS.length) return onLost();
        onWaiting();
        await new Promise((resolve) => { setTimeout(resolve, RETRY_DELAYS_MS[failures]); });
        failures += 1;
      }
    }
  }

  function pause() {
    isWanted = false;
    put?.abort();
  }

  return {
    async start() {
      isWanted = true;
      await going; // what was paused has ended first
      if (isWanted) going = goOn();
    },
    pause,
    stop() {
      pause();
      if (id) ask("DELETE", partsAddress(endpoint, id)).catch(() => {}); // what cannot be told now expires by itself
      remember(null);
    },
  };
}

// Returns how far the upload is that this browser began here and did not end; null if there is none.
async function unfinishedParts(where) {
  const start = partsKey(where);
  for (const key of Object.keys(localStorage).filter((one) => one.startsWith(start))) {
    const answer = await fetch(`${partsAddress(where.endpoint, localStorage.getItem(key))}parts/`, { cache: "no-store" })
      .catch(() => null);
    if (!answer || answer.status === 401) return null;
    const found = answer.ok ? await answer.json() : null;
    if (found && !found.submission) {
      const arrived = Math.min(found.parts_received.length * found.part_bytes, found.entry_bytes);
      return arrived > 0 ? { ...found, received_bytes: arrived } : null;
    }
    localStorage.removeItem(key);
  }
  return null;
}
