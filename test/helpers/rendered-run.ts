/** @file The run folder of a render of several units, with one grey pixel for each. */
import { eventClock } from '../../src/runs/events.js';
import { createRunFolder } from '../../src/runs/run-folder.js';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
  'base64',
);

/**
 * @param units - without any, the render has not come to its end
 * @param named - the name that the result gives each picture
 */
export function renderedRun(
  place: string,
  units: readonly string[],
  named: (name: string, i: number) => string = (name) => name,
): string {
  const folder = createRunFolder(place, {
    job: { task: 'image', units: ['a:*'] },
    command: [],
    versions: {},
    model: { name: 'a & b', hash: '' },
  });
  const files = units.map((_, i) => `pictures/${String(i).padStart(6, '0')}.png`);
  for (const name of [...files, ...(units.length === 0 ? ['pictures/000000.png'] : [])])
    folder.writeFile(name, PIXEL);
  if (units.length > 0)
    folder.append(
      eventClock()({
        kind: 'finished',
        reason: 'done',
        result: {
          pictures: files.map(named),
          units: units.map((unit, i) => ({
            unit,
            dead: i === 1,
            activation: { start: 0, final: i + 1, curve: [0, 1] },
          })),
        },
      }),
    );
  folder.close();
  return folder.path;
}
