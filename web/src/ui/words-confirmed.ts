// Whether the owner has shown that the words are written down. Only a reminder hangs on it, so losing it does no harm.

const key = (data: string): string => `${data}:words-confirmed`;

export function rememberWordsConfirmed(data: string, confirmed: boolean): void {
  try {
    localStorage.setItem(key(data), confirmed ? 'yes' : 'no');
  } catch {
    // Without it the reminder is not shown.
  }
}

export function wordsUnconfirmed(data: string): boolean {
  try {
    return localStorage.getItem(key(data)) === 'no';
  } catch {
    return false;
  }
}
