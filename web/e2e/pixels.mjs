// What can be seen of the page, as pixels.

import decodeQR from 'qr/decode.js';

/** The text of the QR code that this part of the page shows, read from its picture; throws where there is none. */
export async function seenCode(locator) {
  const png = (await locator.screenshot()).toString('base64');
  // The browser unpacks it: no library of ours reads PNG.
  const { width, height, bytes } = await locator.page().evaluate(async (png) => {
    const file = new Blob([Uint8Array.from(atob(png), (char) => char.charCodeAt(0))], { type: 'image/png' });
    const bitmap = await createImageBitmap(file);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    return { width: bitmap.width, height: bitmap.height, bytes: Array.from(data) };
  }, png);
  return decodeQR({ width, height, data: Uint8ClampedArray.from(bytes) }, { format: 'RGBA' });
}

/** How bright the page's ground is, from 0 to 255. */
export async function brightness(page) {
  const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const [red, green, blue] = colour.match(/\d+/g).map(Number);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
