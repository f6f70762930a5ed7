/** @file The script of a site of pictures: filters and orders what its index has. */
export const pictureScript = `
const filter = document.getElementById('filter');
if (filter) {
  const items = [...document.querySelectorAll('ul.pictures > li')];
  const show = () => {
    const words = filter.value.toLowerCase();
    let shown = 0;
    for (const item of items) {
      item.hidden = !item.dataset.unit.toLowerCase().includes(words);
      if (!item.hidden) shown++;
    }
    for (const section of document.querySelectorAll('main > section'))
      section.hidden = !section.querySelector('li:not([hidden])');
    document.getElementById('shown').textContent = words && shown + ' of ' + items.length;
  };
  filter.addEventListener('input', show);
  const value = (item) => item.dataset.final === '' ? -Infinity : Number(item.dataset.final);
  const orders = { unit: (a, b) => a.dataset.place - b.dataset.place, final: (a, b) => value(b) - value(a) };
  document.getElementById('order').addEventListener('change', (event) => {
    for (const list of document.querySelectorAll('ul.pictures'))
      list.append(...[...list.children].sort(orders[event.target.value]));
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.target.closest('input[type=search]')) return;
    event.preventDefault();
    filter.focus();
  });
  show();
}
`;
