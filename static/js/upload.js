// The upload form's comforts: drag and drop, a size check before sending, progress, errors in place.
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
let transfer = null;

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
    return item;
  }));
  if (findings.length > 0) errors.focus();
}

function checkFile() {
  const file = input.files[0];
  chosen.textContent = file ? `${file.name}, ${inWords(file.size)}` : "No file chosen yet.";
  if (!file) return [{ code: "empty_upload", message: "You have not chosen a file.", hint: "Choose your entry file." }];
  if (file.size === 0) {
    return [{ code: "empty_upload", message: "The file is empty.", hint: "Choose the file again." }];
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

function finish(request) {
  const reply = readReply(request);
  if (request.status === 201 && reply.location) {
    window.location.assign(reply.location);
    return;
  }
  showSending(false);
  region.textContent = "";
  showFindings(reply.findings ?? [{
    code: `http_${request.status}`,
    message: `The server refused the upload (status ${request.status}).`,
    hint: "Reload the page and try again. You may have been signed out.",
  }]);
}

function breakOff(message) {
  showSending(false);
  region.textContent = "";
  showFindings([{ code: "upload_broken_off", message, hint: "Nothing was submitted. You can try again." }]);
}

function send(event) {
  event.preventDefault();
  const findings = checkFile();
  showFindings(findings);
  if (findings.length > 0) return;
  const body = new FormData(form); // before the input is disabled, which would leave the file out
  transfer = new XMLHttpRequest();
  transfer.upload.addEventListener("progress", (progress) => {
    if (progress.lengthComputable) showProgress(progress.loaded, progress.total);
  });
  transfer.addEventListener("load", () => finish(transfer));
  transfer.addEventListener("error", () => breakOff("The connection was lost during the upload."));
  transfer.addEventListener("abort", () => breakOff("You stopped the upload."));
  transfer.open("POST", form.action);
  transfer.setRequestHeader("Accept", "application/json");
  showSending(true);
  showProgress(0, input.files[0].size);
  transfer.send(body);
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
