// Adds, takes out and moves rows of a form in place. The server draws them, as it does without this.

export function enhance(form) {
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (button?.name !== "do" || form.dataset.busy) return;
    event.preventDefault();
    form.dataset.busy = "yes";
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form, button), redirect: "error" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const drawn = page.querySelector("[data-rows]");
      if (!answer.ok || !drawn) throw new Error("not drawn");
      form.replaceChildren(...drawn.childNodes);
      const next = document.getElementById(drawn.dataset.rows);
      next?.focus();
      next?.scrollIntoView({ block: "nearest" });
      form.querySelector("[role=status]")?.append(drawn.dataset.said ?? "");
    } catch {
      const deed = document.createElement("input");
      Object.assign(deed, { type: "hidden", name: button.name, value: button.value });
      form.append(deed);
      form.submit();
    } finally {
      delete form.dataset.busy;
    }
  });
}
