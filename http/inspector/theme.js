// Light, dark, or as the system says. The choice outlives the tab; it is nobody's secret.
const kTheme = "kvasir.theme";
const kNext = { system: "light", light: "dark", dark: "system" };

export function applyTheme() {
  const chosen = theme();
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

export function theme() {
  const stored = localStorage.getItem(kTheme);
  return stored in kNext ? stored : "system";
}

export function nextTheme() {
  localStorage.setItem(kTheme, kNext[theme()]);
  applyTheme();
  return theme();
}
