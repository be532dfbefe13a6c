// After a form came back: focus on the error summary, and its links lead into the field itself.

export function enhance(summary) {
  summary.focus();
  summary.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    const control = field.matches("input, select, textarea") ? field : field.querySelector("input, select, textarea");
    (field.closest(".field") ?? field).scrollIntoView();
    (control ?? field).focus({ preventScroll: true });
  });
}
