// Follow the system's light or dark setting before the first paint.
"use strict";

const darkSetting = window.matchMedia("(prefers-color-scheme: dark)");

function followSystemTheme() {
  document.documentElement.dataset.bsTheme = darkSetting.matches ? "dark" : "light";
}

darkSetting.addEventListener("change", followSystemTheme);
followSystemTheme();
