// A form that is added to a list in the admin gets its own number in what its preview asks for.
"use strict";

document.addEventListener("formset:added", (event) => {
  for (const text of event.target.querySelectorAll("textarea[hx-post]")) {
    const number = text.name.match(/-(\d+)-/)[1];
    for (const name of ["hx-target", "hx-params", "hx-vals"]) {
      text.setAttribute(name, text.getAttribute(name).replaceAll("__prefix__", number));
    }
    text.closest(".podium-markdown").querySelector(".podium-preview").id = text.getAttribute("hx-target").slice(1);
    htmx.process(text);
  }
});
