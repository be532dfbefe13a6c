// Loads files of static/vendor/ once, when first needed. Same origin only: the content policy allows no other.

const loading = new Map();
const address = (path) => new URL(`../vendor/${path}`, import.meta.url).href;

export function loadScript(path) {
  if (!loading.has(path)) {
    loading.set(
      path,
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = address(path);
        script.onload = resolve;
        script.onerror = () => reject(new Error(`${path} did not load`));
        document.head.append(script);
      }),
    );
  }
  return loading.get(path);
}

export function addStyle(path) {
  if (loading.has(path)) return loading.get(path);
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = address(path);
  const loaded = new Promise((resolve) => {
    link.onload = link.onerror = resolve;
  });
  loading.set(path, loaded);
  // Before our own style sheet, so that ours has the last word.
  document.head.querySelector('link[rel="stylesheet"]').after(link);
  return loaded;
}
