// Watches the camera until it shows a QR code.

import { readPixels } from './decode.ts';

const FRAME_MILLIS = 120;
const MAX_SIDE = 960;

export interface CameraWatch {
  stop(): void;
}

/** Shows the camera in `video` and calls `found` once. Throws when there is no camera or no permission. */
export async function watchCamera(video: HTMLVideoElement, found: (text: string) => void): Promise<CameraWatch> {
  if (!navigator.mediaDevices) throw new DOMException('no camera here', 'NotFoundError');
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } },
  });
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;
  let timer = 0;
  const stop = (): void => {
    clearTimeout(timer);
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  const look = (): void => {
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0) {
      const scale = Math.min(1, MAX_SIDE / Math.max(video.videoWidth, video.videoHeight));
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      context.drawImage(video, 0, 0, canvas.width, canvas.height);
      const text = readPixels(context.getImageData(0, 0, canvas.width, canvas.height));
      if (text) {
        stop();
        return found(text);
      }
    }
    timer = window.setTimeout(look, FRAME_MILLIS);
  };
  video.srcObject = stream;
  await video.play().catch(() => undefined);
  look();
  return { stop };
}

/** Why the camera cannot be used, in a sentence. */
export function cameraTrouble(thrown: unknown): { what: string; next: string } {
  const name = thrown instanceof DOMException ? thrown.name : '';
  if (name === 'NotAllowedError') {
    return { what: 'The browser does not let this page use the camera.', next: 'Allow it beside the address, or paste or upload the code.' };
  }
  if (name === 'NotFoundError' || name === 'OverconstrainedError') {
    return { what: 'No camera was found.', next: 'Paste the text, or upload a picture of the code.' };
  }
  return { what: 'The camera cannot be used now.', next: 'Another program may hold it. Paste or upload the code instead.' };
}
