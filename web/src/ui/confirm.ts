// A question that must be answered before something that cannot be taken back.

import { html, render, type TemplateResult } from 'lit-html';

export interface Question {
  title: string;
  body: TemplateResult;
  yes: string;
  testid: string;
}

/** Asks, and answers whether the person agreed. */
export function confirm(question: Question): Promise<boolean> {
  const dialog = document.createElement('dialog');
  dialog.className = 'confirm';
  dialog.setAttribute('aria-labelledby', 'confirm-title');
  dialog.dataset['testid'] = question.testid;
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    render(
      html`<h2 id="confirm-title">${question.title}</h2>
        ${question.body}
        <div class="buttons">
          <button class="button" type="button" data-testid="confirm-no" @click=${() => dialog.close('no')}>Cancel</button>
          <button class="button danger" type="button" data-testid="confirm-yes" @click=${() => dialog.close('yes')}>${question.yes}</button>
        </div>`,
      dialog,
    );
    dialog.showModal();
  });
}
