// Loads what a page asks for by its data attributes. Every page works before this runs.

const enhancements = {
  "[data-menu]": () => import("./menu.js"),
  "[data-focus-on-load]": () => import("./errors.js"),
  "[data-due]": () => import("./due.js"),
  "[data-confirm]": () => import("./confirm.js"),
  "[data-copy]": () => import("./copy.js"),
  "[data-rows]": () => import("./rows.js"),
  "[data-picker]": () => import("./picker.js"),
  "[data-match]": () => import("./match.js"),
  "[data-option-keys]": () => import("./options.js"),
  "[data-listmap]": () => import("./listmap.js"),
  "[data-map]": () => import("./map.js"),
};

function enhance(root) {
  for (const [selector, load] of Object.entries(enhancements)) {
    const found = [...root.querySelectorAll(selector)].filter((element) => !element.dataset.enhanced);
    if (!found.length) continue;
    for (const element of found) element.dataset.enhanced = "yes";
    load().then((module) => found.forEach(module.enhance));
  }
}

enhance(document);
document.addEventListener("htmx:load", (event) => enhance(event.target));
document.addEventListener("drawn", (event) => enhance(event.target));
