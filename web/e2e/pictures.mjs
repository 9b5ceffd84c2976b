// QR codes as a person would meet them: a picture file, and a camera that sees one.

import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import encodeQR from 'qr';

/** Brightness of a code seen on white paper, turned by a few degrees, with a soft edge and some noise. */
function paper(text, width, height, { turn = 0, noise = 0, fill = 0.86 } = {}) {
  const modules = encodeQR(text, 'raw', { border: 4, ecc: 'low' });
  const scale = (Math.min(width, height) * fill) / modules.length;
  const [cos, sin] = [Math.cos(turn) / scale, Math.sin(turn) / scale];
  const dark = (x, y) => {
    const [dx, dy] = [x - width / 2, y - height / 2];
    const column = Math.floor(dx * cos + dy * sin + modules.length / 2);
    const row = Math.floor(dy * cos - dx * sin + modules.length / 2);
    return modules[row]?.[column] ? 1 : 0;
  };
  const pixels = Buffer.alloc(width * height);
  let seed = 7;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const ink = (dark(x + 0.25, y + 0.25) + dark(x + 0.75, y + 0.25) + dark(x + 0.25, y + 0.75) + dark(x + 0.75, y + 0.75)) / 4;
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const grain = noise * ((seed >>> 24) / 127.5 - 1);
      pixels[y * width + x] = Math.max(0, Math.min(255, Math.round(225 - 190 * ink + grain)));
    }
  }
  return pixels;
}

/** A PNG file's bytes with this code. */
export function qrPng(text, side = 720) {
  const pixels = paper(text, side, side, { turn: 0.06, noise: 6 });
  const rows = Buffer.alloc(side * (side + 1));
  for (let y = 0; y < side; y += 1) pixels.copy(rows, y * (side + 1) + 1, y * side, (y + 1) * side);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head[8] = 8;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Writes what a camera sees that is held at this code: a short Y4M clip, which Chromium plays over and over. */
export function writeCameraClip(text, file, { width = 640, height = 480, frames = 4 } = {}) {
  const parts = [Buffer.from(`YUV4MPEG2 W${width} H${height} F15:1 Ip A1:1 C420jpeg\n`)];
  const colour = Buffer.alloc((width * height) / 2, 128);
  for (let frame = 0; frame < frames; frame += 1) {
    parts.push(Buffer.from('FRAME\n'), paper(text, width, height, { turn: 0.03 * (frame - 1), noise: 10, fill: 0.93 }), colour);
  }
  writeFileSync(file, Buffer.concat(parts));
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
