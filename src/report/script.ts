/**
 * @file The script of pages: what a mark means appears while the pointer or the focus is on it, and the arrow keys
 * step through the points of a figure. Without it pages lose nothing else.
 */
export const pageScript = `
const tip = document.getElementById('tip');
const show = (mark) => {
  const box = mark.getBoundingClientRect();
  tip.textContent = mark.dataset.tip;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const above = box.top - height - 8;
  tip.style.top = (above > 0 ? above : box.bottom + 8) + 'px';
  tip.style.left = Math.max(4, Math.min(innerWidth - width - 4, box.left + box.width / 2 - width / 2)) + 'px';
};
const hide = () => { tip.hidden = true; };
for (const kind of ['pointerover', 'focusin'])
  document.addEventListener(kind, ({ target }) => {
    const mark = target.closest('[data-tip]');
    if (mark) show(mark); else hide();
  });
document.addEventListener('focusout', hide);
document.addEventListener('scroll', hide, { passive: true, capture: true });
document.addEventListener('keydown', ({ key }) => { if (key === 'Escape') hide(); });
for (const figure of document.querySelectorAll('svg.figure')) {
  const points = [...figure.querySelectorAll('a.point')];
  points.forEach((point, i) => point.setAttribute('tabindex', i === 0 ? '0' : '-1'));
  figure.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const next = points[points.indexOf(event.target.closest('a.point')) + (step ?? Number.NaN)];
    if (!next) return;
    event.preventDefault();
    points.forEach((point) => point.setAttribute('tabindex', point === next ? '0' : '-1'));
    next.focus();
  });
}
`;
