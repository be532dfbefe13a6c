// Shows what a page holds back until a moment has come, as the next emergency number after five minutes.

export function enhance(holder) {
  const wait = new Date(holder.dataset.due) - Date.now();
  setTimeout(() => {
    for (const part of holder.querySelectorAll("[data-due-part]")) part.hidden = false;
    holder.scrollIntoView({ block: "start" });
  }, Math.max(0, wait));
}
