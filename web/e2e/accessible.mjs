// What can be checked of a screen by machine: names, labels, headings, contrast and the size of what is pressed.

/** Runs inside the page; gives a line for each fault. */
export function accessibilityFaults() {
  const faults = [];
  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !element.closest('[hidden]');
  const tell = (what, element) => faults.push(`${what}: ${element.outerHTML.replace(/<!--.*?-->/g, '').slice(0, 120)}`);

  const headings = [...document.querySelectorAll('h1')].filter(shown);
  if (headings.length > 1) faults.push(`${headings.length} main headings`);
  if (!document.documentElement.lang) faults.push('no language');

  const ids = new Set();
  for (const { id } of document.querySelectorAll('[id]')) {
    if (ids.has(id)) faults.push(`the id ${id} is used twice`);
    ids.add(id);
  }
  for (const element of document.querySelectorAll('[aria-describedby], [aria-labelledby]')) {
    const named = `${element.getAttribute('aria-describedby') ?? ''} ${element.getAttribute('aria-labelledby') ?? ''}`.split(' ').filter(Boolean);
    for (const id of named) if (!document.getElementById(id)) tell(`there is no ${id}`, element);
  }
  const nameOf = (element) =>
    element.getAttribute('aria-label') || element.getAttribute('aria-labelledby') || element.innerText?.trim() || element.labels?.[0]?.innerText.trim();
  for (const element of document.querySelectorAll('a, button, input, textarea, select, summary, [role=img]')) {
    if (!shown(element)) continue;
    if (!nameOf(element)) tell('has no name', element);
    const { width, height } = element.getBoundingClientRect();
    if (element.matches('button, .button, input, textarea') && (width < 24 || height < 24)) tell('is too small to press', element);
  }

  const numbers = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element || !shown(element) || element.closest('.sr-only, script, style, :disabled, svg, noscript')) continue;
    const style = getComputedStyle(element);
    const [light, dark] = [luminance(numbers(style.color)), luminance(ground(element))].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio < needed) tell(`contrast ${ratio.toFixed(2)} instead of ${needed}`, element);
  }
  return [...new Set(faults)];
}
