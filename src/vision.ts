/**
 * Networks that see: layers as functions, objectives, rendering, dataset examples. `openNetwork` of `superstimulus` needs
 * none of this.
 *
 * @module
 */

// Models by name: embedded, in a folder, on the hub.

export type { DownloadOptions } from './hub/download-files.js';
export { embeddedFolder, embeddedModels } from './hub/embedded.js';
export { type ListedModel, listModels } from './hub/list-models.js';
export { hashModel } from './hub/model-hash.js';
export { type ResolvedModel, resolveLocal, resolveModel } from './hub/resolve-model.js';
export type { UnitStatistics } from './hub/unit-statistics.js';

// A network: its layers by name, and any of them as a function of pictures.

export type { UsedParam } from './vision/layers/evaluate.js';
export type { LayerGraph } from './vision/layers/graph.js';
export type { Shape } from './vision/layers/op.js';
export type { Field } from './vision/layers/receptive-field.js';
export {
  type InputSpec,
  type LayerInfo,
  VisionNetwork,
  type VisionNetworkOptions,
  type Wanted,
} from './vision/network.js';
export { openVisionNetwork } from './vision/open.js';
export { type Picture, readPicture } from './vision/picture.js';
export type { PictureSize } from './vision/picture-size.js';
export type { Preprocessing } from './vision/preprocess.js';

// Objectives: units by name, sums of them, functions.

export {
  type ChannelPosition,
  type ChannelUnit,
  formatChannel,
  parseChannel,
} from './vision/channel-unit.js';
export {
  type Expression,
  formatExpression,
  type LayerFunction,
  layerObjective,
  type PenaltyName,
  type Term,
} from './vision/objectives/expression.js';
export {
  evaluateObjective,
  type Objective,
  type ObjectiveValues,
  type ReadyTerm,
  resolveObjective,
} from './vision/objectives/objective.js';
export { parseExpression } from './vision/objectives/parse.js';
export { parseUnitList } from './vision/objectives/unit-list.js';

// Rendering: parameterizations, transforms, gradient ascent.

export type { ExamplesDocument, ImageDocument, ImageResult } from './jobs/image-result.js';
export { type RenderFiles, renderToFiles } from './jobs/render-files.js';
export {
  type InputKind,
  inputKinds,
  type ParameterizationName,
  parameterizationNames,
} from './vision/names.js';
export { parameterizations } from './vision/parameterizations/index.js';
export type { Parameterization, PictureShape } from './vision/parameterizations/parameterization.js';
export { renderUnits } from './vision/render/render.js';
export type {
  RenderedUnit,
  RenderOptions,
  RenderResult,
  RenderState,
  UnitResult,
} from './vision/render/render-options.js';
export {
  formatTransforms,
  parseTransforms,
  type Range,
  standardTransforms,
  type Transform,
} from './vision/transforms/transform.js';
export { makeView, type View } from './vision/transforms/view.js';

// Pictures of a dataset: the strongest, and statistics of channels.

export {
  type ChannelStatistics,
  type CountedPictures,
  deadChannels,
  type ShippedChannelStatistics,
  shippedChannelStatistics,
} from './vision/channel-statistics.js';
export {
  type DatasetExample,
  type DatasetExamples,
  type DatasetExamplesOptions,
  datasetExamples,
  type UnitExamples,
} from './vision/dataset-examples.js';
