// The upload form's comforts: drag and drop, everything checked that can be before sending, progress, pause, errors in
// place, and going on after a lost connection, a reload, or a session that ended. How the bytes travel, tus-transfer.js
// knows, and parts-transfer.js. Without this file the form still works as a plain multipart form.
"use strict";

const form = document.getElementById("upload-form");
const input = form.querySelector("input[type=file]");
const zone = document.getElementById("dropzone");
const chosen = document.getElementById("chosen-file");
const errors = document.getElementById("upload-errors");
const findingTemplate = document.getElementById("finding-template");
const panel = document.getElementById("upload-progress");
const bar = panel.querySelector("progress");
const text = document.getElementById("upload-progress-text");
const region = document.getElementById("upload-announcement");
const submitButton = form.querySelector("button[type=submit]");
const stopButton = document.getElementById("upload-stop");
const pauseButton = document.getElementById("upload-pause");
const unfinished = document.getElementById("upload-unfinished");
const maxBytes = Number(form.dataset.maxBytes);
const suffixes = input.accept.split(",");
const signIns = new BroadcastChannel("podium-sign-ins"); // every upload page that opens is one of somebody signed in
const NOBODY = "00000000-0000-0000-0000-000000000000"; // in the address of a submission, in its place
const LONGEST_WAIT_MS = 2 ** 31 - 1; // a longer one ends at once
const CONNECTION_LOST = {
  code: "upload_broken_off",
  message: "The connection was lost during the upload.",
  hint: "What has arrived is kept. The upload goes on when the connection is back, or when you send the same file again.",
};
const isDirect = Boolean(form.dataset.directUploads); // past the site into its store: parts-transfer.js
const where = {
  endpoint: isDirect ? form.dataset.directUploads : form.dataset.uploads,
  participant: form.dataset.participant,
};
let transfer = null;
let waitsForSignIn = false;
let waitsForConnection = false;
let askedAgain = false;

function inWords(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB"]; // as the page words the limit
  const power = Math.min(3, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(4))} ${units[power]}`;
}

function showFindings(findings) {
  errors.replaceChildren(...findings.map((finding) => {
    const item = findingTemplate.content.cloneNode(true);
    item.querySelector("[data-field=code]").textContent = finding.code;
    item.querySelector("[data-field=message]").textContent = inLocalTime(finding.message);
    item.querySelector("[data-field=hint]").textContent = inLocalTime(finding.hint);
    const link = item.querySelector("[data-field=link]");
    link.hidden = !finding.link;
    if (finding.link) link.href = finding.link;
    if (finding.link_text) {
      link.textContent = finding.link_text;
      link.target = "_blank"; // leaving the page would lose the chosen file
    }
    return item;
  }));
  waitsForSignIn = findings.some((finding) => finding.code === "session_ended");
  if (findings.length > 0) errors.parentElement.focus();
}

function checkFile() {
  const file = input.files[0];
  chosen.textContent = file ? `${file.name}, ${inWords(file.size)}` : "No file chosen yet.";
  if (!file) return [{ code: "empty_upload", message: "You have not chosen a file.", hint: "Choose your entry file." }];
  if (file.size === 0) {
    return [{ code: "empty_upload", message: "The file is empty.", hint: "Choose the file again." }];
  }
  if (!suffixes.some((suffix) => file.name.toLowerCase().endsWith(suffix))) {
    return [{
      code: "unrecognised_format",
      message: `The name “${file.name}” does not end in ${suffixes.join(" or ")}.`,
      hint: "This page lists the files that each of the track's formats needs.",
    }];
  }
  if (file.size > maxBytes) {
    return [{
      code: "upload_too_large",
      message: `The file is ${inWords(file.size)}; at most ${inWords(maxBytes)} is allowed.`,
      hint: "Remove files that the model does not need.",
    }];
  }
  return [];
}

function showSending(isSending) {
  panel.hidden = !isSending;
  submitButton.disabled = isSending;
  input.disabled = isSending;
  unfinished.hidden = true;
  if (isSending) showPaused(false);
}

function showPaused(isPaused) {
  pauseButton.textContent = isPaused ? "Continue" : "Pause";
  panel.classList.toggle("is-paused", isPaused);
  if (!isPaused) return;
  text.textContent = `Paused at ${bar.value}%`;
  announceNews("Upload paused");
}

// Screen readers hear what changes, not every event.
function announceNews(news) {
  if (region.textContent !== news) region.textContent = news;
}

function showProgress(sent, total) {
  const percent = Math.floor((100 * sent) / total);
  bar.value = percent;
  text.textContent = percent < 100
    ? `${percent}% · ${inWords(sent)} of ${inWords(total)}`
    : "Sent. The server is checking and storing the file …";
  announceNews(percent < 100
    ? `Upload: ${percent - (percent % 25)}%` // quarters
    : "Upload sent, the server is checking and storing the file.");
}

function showWaiting() {
  text.textContent = "The connection is lost. Trying again …";
  announceNews("The connection is lost. Trying again.");
}

function breakOff(...findings) {
  transfer = null;
  showSending(false);
  region.textContent = "";
  showFindings(findings);
}

function refuse(status, findings) {
  breakOff(...(findings ?? [{
    code: `http_${status}`,
    message: `The server refused the upload (status ${status}).`,
    hint: "Reload the page and try again.",
  }]));
}

function loseConnection() {
  breakOff(CONNECTION_LOST);
  waitsForConnection = true;
}

// What stands against the upload is told before the first byte of the file is sent.
async function ask(file) {
  const question = await fetch(`${form.action}?bytes=${file.size}`, {
    headers: { Accept: "application/json" }, cache: "no-store",
  });
  const reply = await question.json().catch(() => ({}));
  if (question.ok && reply.csrf_token) return reply;
  refuse(question.status, reply.findings);
  return null;
}

// A refusal in the API's shape, as the page shows it.
function explain({ status, body }) {
  const isSessions = status === 401 || (status === 403 && body.code === "permission_denied");
  if (isSessions && !askedAgain) {
    askedAgain = true;
    send(); // the question tells what became of the session, and has its new token
  } else if (body.code) {
    breakOff({ ...body, link: body.submission?.page });
  } else {
    refuse(status);
  }
}

function lead(submission) {
  window.location.assign(form.dataset.submissionUrl.replace(NOBODY, submission));
}

function submit(event) {
  event.preventDefault();
  askedAgain = false;
  send();
}

async function send() {
  waitsForConnection = false;
  const findings = checkFile();
  showFindings(findings);
  if (findings.length > 0) return;
  const file = input.files[0];
  showSending(true);
  showProgress(0, file.size);
  let reply;
  try {
    reply = await ask(file);
  } catch {
    loseConnection();
    return;
  }
  if (reply === null) return;
  if (String(reply.participant) !== form.dataset.participant) {
    breakOff({
      code: "other_account",
      message: "Somebody else is signed in now.",
      hint: "Reload the page to submit under that name.",
    });
    return;
  }
  transfer = (isDirect ? partsTransfer : tusTransfer)(file, {
    ...where,
    csrfToken: reply.csrf_token,
    onProgress: showProgress,
    onWaiting: showWaiting,
    onRefused: explain,
    onLost: loseConnection,
    onDone: lead,
  });
  transfer.start();
}

function pauseOrContinue() {
  if (!transfer) return;
  const pauses = !panel.classList.contains("is-paused");
  showPaused(pauses);
  if (pauses) transfer.pause();
  else transfer.start();
}

function stop() {
  transfer?.stop();
  breakOff({
    code: "upload_broken_off",
    message: "You stopped the upload.",
    hint: "Nothing was submitted. You can try again.",
  });
}

// A browser keeps no file for a page that was left; the participant chooses it again, and the rest is sent.
async function offerUnfinished() {
  if (input.disabled) return;
  const found = await (isDirect ? unfinishedParts : unfinishedUpload)(where);
  if (!found || transfer) return;
  const percent = Math.floor((100 * found.received_bytes) / found.entry_bytes);
  unfinished.textContent =
    `The upload of “${found.entry_name}” stopped at ${percent}%. Choose the same file, and it goes on from there.`;
  unfinished.hidden = false;
}

function openAtNextSlot() {
  if (!form.dataset.opensAt) return;
  document.getElementById("opens-by-itself").hidden = false;
  const wait = new Date(form.dataset.opensAt) - Date.now() + 1000; // a second for clocks that differ
  setTimeout(() => window.location.reload(), Math.min(Math.max(wait, 1000), LONGEST_WAIT_MS));
}

zone.addEventListener("dragover", (event) => {
  event.preventDefault();
  zone.classList.add("is-over");
});
zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  zone.classList.remove("is-over");
  input.files = event.dataTransfer.files;
  showFindings(checkFile());
});
input.addEventListener("change", () => showFindings(checkFile()));
if (tus.isSupported) {
  stopButton.addEventListener("click", stop);
  pauseButton.addEventListener("click", pauseOrContinue);
  form.addEventListener("submit", submit);
  window.addEventListener("online", () => {
    if (waitsForConnection) form.requestSubmit();
  });
  offerUnfinished();
}
signIns.addEventListener("message", () => {
  if (waitsForSignIn) form.requestSubmit();
});
signIns.postMessage("signed in");
openAtNextSlot();
