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

showLocalTimes(document);
enableCopyButtons(document);
document.addEventListener("htmx:afterSettle", () => {
  showLocalTimes(document);
  announce();
});
for (const select of document.querySelectorAll("select[data-submit-on-change]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
