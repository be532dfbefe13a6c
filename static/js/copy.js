// Puts the text of a box on the clipboard, for a message that is sent from another app.

export function enhance(button) {
  const box = document.getElementById(button.dataset.copy);
  const words = button.querySelector("span");
  const before = words.textContent;
  const said = button.closest(".copy-text").querySelector("[data-copy-said]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(box.value);
    } catch {
      // Without leave for the clipboard the text is marked, ready to be copied by hand.
      box.select();
      return;
    }
    words.textContent = said.textContent = button.dataset.copied;
    setTimeout(() => {
      words.textContent = before;
      said.textContent = "";
    }, 4000);
  });
}
