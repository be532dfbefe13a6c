// The map beside a list of options: local coastline, distance rings, numbered pins linked to the cards both ways.
// Reads GeoJSON from the JSON block beside it. Text from data enters the page by textContent only.

import { addStyle, loadScript } from "./vendor.js";

const coasts = new Map();
const RINGS_KM = [1, 2, 5, 10, 25, 50, 100, 250, 500];

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const position = (feature) => [feature.geometry.coordinates[1], feature.geometry.coordinates[0]];

// Drawn again with every answer of a search: fetched once.
function coastOf(address) {
  if (!coasts.has(address)) coasts.set(address, fetch(address).then((answer) => answer.json()));
  return coasts.get(address);
}

export async function enhance(box) {
  const data = JSON.parse(box.parentElement.querySelector('script[type="application/json"]').textContent);
  await Promise.all([addStyle("leaflet/leaflet.css"), loadScript("leaflet/leaflet.js")]);
  const L = window.L;
  if (!box.isConnected) return;
  const pair = box.closest("[data-listmap]");
  box.parentElement.hidden = false;

  const of = (kind) => data.features.filter((feature) => feature.properties.kind === kind);
  const fold = pair?.querySelector("details[data-unfolds]");
  const options = of("option").filter((option) => !option.properties.folded);
  const folded = of("option").filter((option) => option.properties.folded);
  const starts = of("start");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(box, { zoomControl: false, zoomSnap: 0.25, minZoom: 4, maxZoom: 17, animate: !calm, fadeAnimation: !calm, zoomAnimation: !calm });
  map.attributionControl.setPrefix(false).addAttribution(element("span", box.dataset.note).innerHTML);
  L.control.zoom({ position: "topright", zoomInTitle: box.dataset.zoomIn, zoomOutTitle: box.dataset.zoomOut }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);

  let extent = L.latLngBounds([...options, ...starts].map(position));
  function fit() {
    // A place alone is shown with its coast: there are no streets to zoom in on. No pin lies under the buttons.
    const maxZoom = extent.isValid() && extent.getNorthEast().equals(extent.getSouthWest()) ? 8 : 13;
    if (extent.isValid()) map.fitBounds(extent, { paddingTopLeft: [36, 64], paddingBottomRight: [76, 52], maxZoom, animate: false });
    else map.setView([-2.5, 118], 4.5, { animate: false });
  }
  fit();

  coastOf(box.dataset.coast).then((coast) => {
    if (!box.isConnected) return;
    L.geoJSON(coast, { interactive: false, style: (feature) => ({ className: feature.properties.home ? "land-home" : "land-away" }) }).addTo(map).bringToBack();
  });
  for (const outline of of("outline")) L.geoJSON(outline, { interactive: false, style: { className: "outline" } }).addTo(map);

  let rings = starts.map((start) => drawStart(L, map, start, options));
  const drawn = (some) => link(some.map((option) => drawOption(L, map, option, box)), pair, box);
  drawn(options);

  // Farther places come onto the map with their cards, and stay.
  function unfold() {
    if (!fold.open || !folded.length) return;
    const all = [...options, ...folded];
    extent = L.latLngBounds([...all, ...starts].map(position));
    for (const ring of rings) ring.remove();
    rings = starts.map((start) => drawStart(L, map, start, all));
    drawn(folded.splice(0));
    fit();
  }
  fold?.addEventListener("toggle", unfold);
  if (fold) unfold();

  // A list drawn again brings its own map; this one lets go of the window.
  document.addEventListener("drawn", function leave() {
    if (box.isConnected) return;
    document.removeEventListener("drawn", leave);
    measured.disconnect();
    map.remove();
  });

  // Leaflet measures its box when made; a box that was hidden or resized must be measured again.
  let fitted = box.clientWidth > 0;
  const measured = new ResizeObserver(() => {
    if (!box.isConnected) return;
    map.invalidateSize({ animate: false });
    if (!fitted && box.clientWidth > 0) {
      fitted = true;
      fit();
    }
  });
  measured.observe(box);
}

function drawStart(L, map, start, options) {
  const group = L.layerGroup().addTo(map);
  const at = L.latLng(position(start));
  const { label, precision_km: precisionKm } = start.properties;
  if (precisionKm) L.circle(at, { radius: precisionKm * 1000, interactive: false, className: "precision" }).addTo(group);
  const farthestKm = Math.max(0, ...options.map((option) => at.distanceTo(position(option)) / 1000));
  // The numbers of the rings stand on the side where the options are.
  const middle = options.reduce((sum, option) => sum + position(option)[0], 0) / (options.length || 1);
  const side = middle < at.lat ? -1 : 1;
  const shown = RINGS_KM.filter((km) => km <= farthestKm * 1.3 && km >= farthestKm / 8).slice(-3);
  for (const km of shown) {
    L.circle(at, { radius: km * 1000, interactive: false, className: "ring" }).addTo(group);
    const text = element("span", `${km} km`);
    const edge = [at.lat + (side * km) / 111.195, at.lng];
    L.marker(edge, { interactive: false, keyboard: false, icon: L.divIcon({ className: "ring-label", html: text, iconSize: [0, 0] }) }).addTo(group);
  }
  const mark = element("div");
  mark.append(element("b"));
  if (label) mark.append(element("span", label.split(",")[0]));
  L.marker(at, { interactive: false, keyboard: false, icon: L.divIcon({ className: "pin pin-start", html: mark, iconSize: [20, 20] }), zIndexOffset: -100 }).addTo(group);
  return group;
}

function drawOption(L, map, option, box) {
  const { number, name, note } = option.properties;
  const head = element("b");
  head.append(element("span", String(number)));
  const marker = L.marker(position(option), {
    alt: `${number}. ${name}`,
    riseOnHover: true,
    icon: L.divIcon({ className: "pin", html: head, iconSize: [36, 36], iconAnchor: [18, 43], popupAnchor: [0, -40] }),
  }).addTo(map);
  marker.getElement().setAttribute("aria-label", `${number}. ${name}`);

  const card = document.getElementById(`option-${number}`);
  const popup = element("div");
  popup.append(element("strong", `${number}. ${name}`));
  if (note) popup.append(element("p", note));
  if (card) {
    const toCard = element("a", box.dataset.toList, "to-card");
    toCard.href = `#option-${number}`;
    popup.append(toCard);
  }
  marker.bindPopup(popup, { maxWidth: 210, autoPanPaddingTopLeft: [10, 10], autoPanPaddingBottomRight: [64, 10] });
  return { marker, card };
}

function link(pins, pair, box) {
  const light = (pin, on) => {
    pin.marker.getElement()?.classList.toggle("on", on);
    pin.marker.setZIndexOffset(on ? 1000 : 0);
    pin.card?.classList.toggle("on", on);
  };
  for (const pin of pins) {
    const { marker, card } = pin;
    for (const [enter, leave] of [["mouseover", "mouseout"], ["popupopen", "popupclose"]]) {
      marker.on(enter, () => light(pin, true));
      marker.on(leave, () => light(pin, marker.isPopupOpen() && leave === "mouseout"));
    }
    withKeys(marker, box);
    marker.getElement().addEventListener("focus", () => light(pin, true));
    marker.getElement().addEventListener("blur", () => light(pin, marker.isPopupOpen()));
    if (!card) continue;
    marker.on("popupopen", () => {
      // On a wide screen the card is beside the map: bring it into sight.
      if (pair?.querySelector(".listmap-list")?.offsetParent) card.scrollIntoView({ block: "nearest" });
      marker.getPopup().getElement().querySelector("a.to-card")?.addEventListener("click", (event) => {
        event.preventDefault();
        pair?.dispatchEvent(new CustomEvent("listmap:ask", { detail: "list" }));
        card.closest("details")?.setAttribute("open", "");
        card.scrollIntoView({ block: "center" });
        card.tabIndex = -1;
        card.focus({ preventScroll: true });
      }, { once: true });
    });
    card.addEventListener("mouseenter", () => light(pin, true));
    card.addEventListener("mouseleave", () => light(pin, marker.isPopupOpen()));
    card.addEventListener("focusin", () => light(pin, true));
    card.addEventListener("focusout", () => light(pin, marker.isPopupOpen()));
    card.addEventListener("click", (event) => {
      if (!event.target.closest("a, button, input, select, textarea, summary, label")) marker.openPopup();
    });
  }
}

// Enter on a pin opens it (Leaflet's own) and leads into what it says; Escape closes it and leads back to the pin.
function withKeys(marker, box) {
  const pin = marker.getElement();
  let byKey = false;
  const back = () => {
    marker.closePopup();
    pin.focus();
  };
  pin.addEventListener("keydown", (event) => {
    byKey = event.key === "Enter";
    if (event.key === "Escape") marker.closePopup();
  });
  marker.on("popupopen", () => {
    const popup = marker.getPopup().getElement();
    if (!popup.dataset.keys) {
      popup.dataset.keys = "yes";
      popup.addEventListener("keydown", (event) => event.key === "Escape" && back());
      const close = popup.querySelector(".leaflet-popup-close-button");
      close.setAttribute("aria-label", box.dataset.close);
      close.addEventListener("click", back);
    }
    if (byKey) focusWhenSeen(popup.querySelector("a"));
    byKey = false;
  });
}

// Leaflet measures a popup unseen, and what can't be seen yet takes no focus.
function focusWhenSeen(link, tries = 30) {
  link.focus();
  if (document.activeElement !== link && tries) requestAnimationFrame(() => focusWhenSeen(link, tries - 1));
}
