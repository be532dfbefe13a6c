// The phone's List | Map switch. On wide screens both stand side by side and the switch is not shown (CSS).

export function enhance(pair) {
  const group = pair.querySelector(".listmap-switch");
  const buttons = [...group.querySelectorAll("button")];

  function show(side) {
    pair.dataset.showing = side;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.show === side));
    pair.dispatchEvent(new CustomEvent("listmap:show", { detail: side }));
  }

  group.hidden = false;
  group.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    show(button.dataset.show);
    // The list is long: without this, whoever was far down it would land below the map.
    pair.scrollIntoView({ block: "start" });
  });
  pair.addEventListener("listmap:ask", (event) => show(event.detail));
  show(pair.dataset.showing ?? "list");
}
