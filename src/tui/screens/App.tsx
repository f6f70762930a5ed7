/** @file The terminal UI: the place one is at, and its screen. */
import { useCallback, useState } from 'react';
import { useRun, useWindowSize } from '../hooks.js';
import { type CandidatePlace, type RunPlace, shownPlace, type Ui } from '../places.js';
import type { ViewerState } from '../viewer-state.js';
import { CandidateScreen } from './CandidateScreen.js';
import { CompareScreen } from './CompareScreen.js';
import { ImageRunScreen } from './ImageRunScreen.js';
import type { PlaceProps } from './props.js';
import { RunsScreen } from './RunsScreen.js';
import { TextRunScreen } from './TextRunScreen.js';

export function App({ viewer, start }: { viewer: ViewerState; start: Ui }) {
  const [ui, setState] = useState(start);
  const setUi = useCallback((change: (ui: Ui) => Ui) => setState(change), []);
  const size = useWindowSize(viewer.host.screen);
  const place = shownPlace(ui);
  const shared = { viewer, ui, setUi, ...size };
  switch (place.kind) {
    case 'runs':
      return <RunsScreen {...shared} place={place} />;
    case 'run':
    case 'candidate':
      return <OpenRun key={place.path} {...shared} place={place} />;
    case 'compare':
      return <CompareScreen {...shared} place={place} />;
    default:
      return place satisfies never;
  }
}

function OpenRun(props: PlaceProps<RunPlace | CandidatePlace>) {
  const { viewer, place } = props;
  const source = viewer.open(place.path);
  const snapshot = useRun(source);
  if (place.kind === 'candidate') return <CandidateScreen {...props} {...{ place, source, snapshot }} />;
  const Screen = snapshot.view.task === 'image' ? ImageRunScreen : TextRunScreen;
  return <Screen {...props} {...{ place, source, snapshot }} />;
}
