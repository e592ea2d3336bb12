// How an entry's bytes reach the site: in pieces by the tus protocol (vendor/tus), each sent again until it has arrived.
// Which upload belongs to which file stands in the browser's local storage, so that a reload loses nothing.
"use strict";

const PIECE_BYTES = 32 * 2 ** 20; // what is lost at most behind a proxy that passes on only whole requests
const RETRY_DELAYS_MS = [1000, 2000, 4000, 8000, 15000, 30000, 30000, 60000, 60000, 60000]; // anew after each success
const PASSING = new Set([ // refusals that a later try may not meet
  "wrong_offset", "upload_busy", "upload_expired", "checksum_mismatch", "too_many_uploads", "busy", "database_away",
  "throttled", "parts_missing",
]);

class UploadRefusal extends Error {
  constructor(status, body) {
    super(body.code ?? `status ${status}`);
    this.status = status;
    this.body = body;
  }
}

function bodyOf(response) {
  try {
    return JSON.parse(response.getBody());
  } catch {
    return {};
  }
}

// Throws where the library would go on wrongly: it takes every failed HEAD, that of a session that ended or of a site that
// starts again, for an upload that is gone, and begins anew. What is thrown but no refusal is tried again.
function throwIfRefused(request, response) {
  const status = response.getStatus();
  if (status < 400) return;
  if (request.getMethod() === "HEAD") { // its answers have no body
    if (status === 401 || status === 403) throw new UploadRefusal(status, {});
    if (status !== 404 && status !== 410) throw new Error(`status ${status}`);
    return;
  }
  const body = bodyOf(response);
  const mayPass = PASSING.has(body.code) || (status >= 500 && !body.code);
  if (!mayPass) throw new UploadRefusal(status, body);
}

function fingerprintStart({ endpoint, participant }) {
  return ["podium", participant, endpoint, ""].join("|");
}

// Returns what can be started, paused, started again, and stopped for good.
function tusTransfer(file, { endpoint, participant, csrfToken, onProgress, onWaiting, onRefused, onLost, onDone }) {
  const fingerprint = fingerprintStart({ endpoint, participant }) + [file.name, file.size, file.lastModified].join("|");
  const upload = new tus.Upload(file, {
    endpoint,
    chunkSize: PIECE_BYTES,
    retryDelays: RETRY_DELAYS_MS,
    metadata: { filename: file.name },
    headers: { "X-CSRFToken": csrfToken },
    fingerprint: async () => fingerprint,
    removeFingerprintOnSuccess: true,
    onAfterResponse: throwIfRefused,
    onProgress,
    onSuccess: ({ lastResponse }) => onDone(lastResponse.getHeader("Podium-Submission")),
    onShouldRetry: (error) => {
      if (error.causingError instanceof UploadRefusal) return false;
      onWaiting();
      return true;
    },
    onError: (error) => {
      const refusal = error.causingError;
      if (refusal instanceof UploadRefusal) onRefused(refusal);
      else onLost();
    },
  });
  const known = upload.findPreviousUploads().then((earlier) => {
    if (earlier.length > 0) upload.resumeFromPreviousUpload(earlier.sort(newestFirst)[0]);
  });
  let isWanted = false;
  return {
    async start() {
      isWanted = true;
      await known;
      if (isWanted) upload.start();
    },
    pause() {
      isWanted = false;
      upload.abort();
    },
    stop() {
      isWanted = false;
      upload.abort(true).catch(() => {}); // what cannot be told now expires by itself
    },
  };
}

function newestFirst(one, other) {
  return new Date(other.creationTime) - new Date(one.creationTime);
}

// Returns how far the newest upload is that this browser began here and did not end; null if there is none.
async function unfinishedUpload(where) {
  const storage = tus.defaultOptions.urlStorage;
  const begun = (await storage.findAllUploads()).filter(
    (one) => one.urlStorageKey.startsWith(`tus::${fingerprintStart(where)}`));
  for (const one of begun.sort(newestFirst)) {
    const answer = await fetch(one.uploadUrl, { cache: "no-store" }).catch(() => null);
    if (!answer || answer.status === 401) return null;
    const found = answer.ok ? await answer.json() : null;
    if (found && !found.submission) return found.received_bytes > 0 ? found : null;
    await storage.removeUpload(one.urlStorageKey);
  }
  return null;
}
