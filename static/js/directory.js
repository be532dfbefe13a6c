// What only a device can do on the directory's pages: say where it is, and print. Both are hidden without this.

for (const form of document.querySelectorAll("[data-near-me]")) {
  if (!navigator.geolocation) continue;
  for (const button of document.querySelectorAll(`button[form="${form.id}"]`)) button.hidden = false;
  form.addEventListener("submit", (event) => {
    if (form.elements.lat.value) return;
    event.preventDefault();
    const send = () => HTMLFormElement.prototype.submit.call(form);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        form.elements.lat.value = coords.latitude;
        form.elements.lon.value = coords.longitude;
        send();
      },
      send,
      { maximumAge: 600000, timeout: 10000 },
    );
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
