// Where in the page a person is, kept in the address after `#` so that Back works and a reload stays.

const PATHS = ['home', 'send', 'receive', 'channels', 'open-channel', 'peers', 'history', 'payment', 'settings'] as const;

export type Place = (typeof PATHS)[number];

export interface Route {
  place: Place;
  /** What the place is about, such as a payment's id. */
  subject?: string;
}

export function readRoute(hash: string): Route {
  const [place, subject] = hash.replace(/^#\/?/, '').split('/').map(decoded);
  if (!PATHS.includes(place as Place)) return { place: 'home' };
  return subject ? { place: place as Place, subject } : { place: place as Place };
}

/** A broken escape is taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function linkTo(place: Place, subject?: string): string {
  return subject === undefined ? `#/${place}` : `#/${place}/${encodeURIComponent(subject)}`;
}

export function goTo(place: Place, subject?: string): void {
  location.hash = linkTo(place, subject);
}
