// The upload form's comforts: drag and drop, everything checked that can be before sending, progress, errors in place,
// and going on after a session that ended.
// Without this file the form still works as a plain multipart form.
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
const maxBytes = Number(form.dataset.maxBytes);
const suffixes = input.accept.split(",");
const signIns = new BroadcastChannel("podium-sign-ins"); // every upload page that opens is one of somebody signed in
const LONGEST_WAIT_MS = 2 ** 31 - 1; // a longer one ends at once
let transfer = null;
let waitsForSignIn = false;

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
}

function showProgress(sent, total) {
  const percent = Math.floor((100 * sent) / total);
  bar.value = percent;
  text.textContent = percent < 100
    ? `${percent}% · ${inWords(sent)} of ${inWords(total)}`
    : "Sent. The server is storing the file …";
  // Screen readers hear quarters, not every event.
  const quarter = percent - (percent % 25);
  const news = percent < 100 ? `Upload: ${quarter}%` : "Upload sent, the server is storing the file.";
  if (region.textContent !== news) region.textContent = news;
}

function readReply(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return {};
  }
}

function refuse(status, findings) {
  showSending(false);
  region.textContent = "";
  showFindings(findings ?? [{
    code: `http_${status}`,
    message: `The server refused the upload (status ${status}).`,
    hint: "Reload the page and try again.",
  }]);
}

function finish(request) {
  const reply = readReply(request);
  if (request.status === 201 && reply.location) window.location.assign(reply.location);
  else refuse(request.status, reply.findings);
}

function breakOff(code, message, hint) {
  showSending(false);
  region.textContent = "";
  showFindings([{ code, message, hint }]);
}

function loseConnection() {
  breakOff("upload_broken_off", "The connection was lost during the upload.", "Nothing was submitted. You can try again.");
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

function transmit(body) {
  transfer = new XMLHttpRequest();
  transfer.upload.addEventListener("progress", (progress) => {
    if (progress.lengthComputable) showProgress(progress.loaded, progress.total);
  });
  transfer.addEventListener("load", () => finish(transfer));
  transfer.addEventListener("error", loseConnection);
  transfer.addEventListener("abort", () => {
    breakOff("upload_broken_off", "You stopped the upload.", "Nothing was submitted. You can try again.");
  });
  transfer.open("POST", form.action);
  transfer.setRequestHeader("Accept", "application/json");
  transfer.send(body);
}

async function send(event) {
  event.preventDefault();
  const findings = checkFile();
  showFindings(findings);
  if (findings.length > 0) return;
  const body = new FormData(form); // before the input is disabled, which would leave the file out
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
    breakOff("other_account", "Somebody else is signed in now.", "Reload the page to submit under that name.");
    return;
  }
  body.set("csrfmiddlewaretoken", reply.csrf_token);
  transmit(body);
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
stopButton.addEventListener("click", () => transfer?.abort());
form.addEventListener("submit", send);
signIns.addEventListener("message", () => {
  if (waitsForSignIn) form.requestSubmit();
});
signIns.postMessage("signed in");
openAtNextSlot();
