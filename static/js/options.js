// In the list of options j goes to the next place and k to the one before, while the focus is in the list: nowhere
// else, so that no key is taken from a field or from a screen reader's own commands.

export function enhance(section) {
  const help = section.querySelector("[data-keys]");
  if (help) help.hidden = false;

  section.addEventListener("keydown", (event) => {
    const step = { j: 1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    const here = event.target.closest("[data-option]");
    if (!here) return;
    // What is folded away is stepped over.
    const cards = [...section.querySelectorAll("[data-option]")].filter((card) => card.offsetParent);
    const next = cards[cards.indexOf(here) + step];
    if (!next) return;
    event.preventDefault();
    next.querySelector("a, button")?.focus();
    next.scrollIntoView({ block: "nearest" });
  });
}
