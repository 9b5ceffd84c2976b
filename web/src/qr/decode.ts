// QR codes out of pictures and camera frames.

import decodeQR from 'qr/decode.js';

/** Larger pictures are made smaller first: a code that fills a phone's photo is still far above one pixel a module. */
const MAX_SIDE = 1600;

/** Finds a code in pixels; unset when there is none. */
export function readPixels(image: ImageData): string | undefined {
  try {
    return decodeQR(image, { format: 'RGBA' }) || undefined;
  } catch {
    return undefined;
  }
}

/** Finds a code in a picture file; unset when there is none. Throws when the file is no picture. */
export async function readPicture(file: Blob): Promise<string | undefined> {
  const bitmap = await createImageBitmap(file);
  try {
    for (const side of [MAX_SIDE, 700]) {
      const found = readPixels(pixels(bitmap, Math.min(1, side / Math.max(bitmap.width, bitmap.height))));
      if (found) return found;
    }
    return undefined;
  } finally {
    bitmap.close();
  }
}

function pixels(bitmap: ImageBitmap, scale: number): ImageData {
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  // Transparent pictures are read as if on white paper.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
