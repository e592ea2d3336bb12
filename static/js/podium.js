// Small comforts on every page: times in the viewer's zone, copy buttons, announcements of live results.
"use strict";

const localFormat = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
});

function showLocalTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]:not([title])")) {
    element.title = element.textContent.trim();
    element.textContent = localFormat.format(new Date(element.dateTime));
  }
}

// Problems name times in UTC; on the page they read as its other times do.
function inLocalTime(sentence) {
  return sentence.replace(/(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC/g,
    (_, day, minute) => localFormat.format(new Date(`${day}T${minute}Z`)));
}

function showLocalTimesInProblems() {
  for (const sentence of document.querySelectorAll(".finding p")) {
    for (const node of sentence.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) node.data = inLocalTime(node.data);
    }
  }
}

function enableCopyButtons(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const label = button.textContent;
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }
}

// A poll replaces the whole fragment; the live region outside of it changes only when the news does.
function announce() {
  const fragment = document.getElementById("live");
  const region = document.getElementById("announcement");
  if (fragment && region && region.textContent !== fragment.dataset.announcement) {
    region.textContent = fragment.dataset.announcement;
  }
}

// Contents stand open beside a text, and are folded above it on a phone.
for (const details of document.querySelectorAll("details[data-open-when-wide]")) {
  details.open = window.matchMedia("(min-width: 62rem)").matches;
}
showLocalTimes(document);
showLocalTimesInProblems();
enableCopyButtons(document);
document.addEventListener("htmx:afterSettle", () => {
  showLocalTimes(document);
  announce();
});
for (const select of document.querySelectorAll("select[data-submit-on-change]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
