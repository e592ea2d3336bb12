// The track form of the admin: folds away what means nothing for the chosen reader and output kind.
"use strict";

const form = document.getElementById("track_form");

function chosen(name) {
  const control = form.elements[name];
  if (!control) return null;
  return control.type === "checkbox" ? (control.checked ? "on" : "") : control.value;
}

// "input_reader=image video": the field means something while one of these is chosen.
function isMet(condition) {
  const [name, values] = condition.split("=");
  const value = chosen(name);
  return value === null || values.split(" ").includes(value);
}

function fold() {
  for (const words of form.querySelectorAll("[data-only]")) {
    const row = words.closest(".form-row");
    // What is wrong is never hidden.
    row.hidden = !words.dataset.only.split(";").every(isMet) && !row.querySelector(".errorlist");
  }
  for (const box of form.querySelectorAll(".podium-box")) {
    const reader = chosen("input_reader");
    box.hidden = reader !== null && !box.dataset.readers.split(" ").includes(reader);
  }
}

if (form && form.elements.input_reader) {
  form.addEventListener("change", fold);
  fold();
}
