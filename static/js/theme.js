// Follow the system's light or dark setting before the first paint.
"use strict";

const darkSetting = window.matchMedia("(prefers-color-scheme: dark)");

function followSystemTheme() {
  document.documentElement.dataset.bsTheme = darkSetting.matches ? "dark" : "light";
  document.documentElement.classList.toggle("dark-mode", darkSetting.matches); // as Swagger UI calls it
}

darkSetting.addEventListener("change", followSystemTheme);
followSystemTheme();
